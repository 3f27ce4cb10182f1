#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/imap/url.h"

/// What is read can be written and reads the same again; the rump is a beginning of the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = protocol::ParseImapUrl(text);
  if (!url) return 0;
  if (protocol::ParseImapUrl(protocol::WriteImapUrl(*url)) != url) std::abort();
  if (!text.starts_with(protocol::RumpOf(text, *url))) std::abort();
  return 0;
}
