// A message that a Participating Function has resolved. "@0" to "@3" in it are URLs that are good: of a text,
// a picture, a message, and of a part within a CPIM. The first octet says whether it is the body of a CPIM.

#include "server/references/message_exchange.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "server/references/desk.h"
#include "storage/kv/memory_engine.h"
#include "tests/support/store_access.h"

namespace {

using namespace server::references;
using tests::Must;

constexpr std::uint64_t kLimit = 256 * 1024;

const std::string kMessage =
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n"
    "--b\r\nContent-Type: image/png; name=x.png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAwQF\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\n--c\r\nwithin\r\n"
    "--b\r\nContent-Type: message/cpim\r\n\r\nFrom: <tel:+1556>\r\n\r\nContent-Type: "
    "image/png\r\n\r\npicture\r\n"
    "--b--\r\n";

class Server {
 public:
  Server() {
    Must(tests::Append(*store, owner, "INBOX", {kMessage}));
    std::vector<Wish> wishes;
    const auto wish_for = [&](std::string_view section, std::optional<protocol::UrlPartial> partial) {
      Wish wish;
      wish.folder = Must(store->GetFolder(owner, "INBOX")).ref;
      wish.uid = {1};
      wish.section = *protocol::ReadSection(section);
      wish.partial = partial;
      wishes.push_back(wish);
    };
    for (const std::string_view section : {"1", "2", "3"}) wish_for(section, {});
    for (const auto& one : Must(desk.Attachments(wishes.front().folder, {1})))
      if (one.partial) wish_for("4", one.partial);
    const auto issued = Must(desk.Issue(Must(store->GetAccount(owner)), owner, wishes));
    for (std::size_t i = 0; i < urls.size(); ++i) urls[i] = issued.at(i).imap_url;
  }

  std::unique_ptr<storage::kv::Engine> engine = storage::kv::NewMemoryEngine();
  std::unique_ptr<storage::MailStore> store = Must(storage::MailStore::Open(*engine, {}));
  storage::AccountId owner = tests::CreateAccount(*store, "tel:+1555");
  const server::FakeClock clock;
  const ReferenceSettings settings{.urls = {.host = "x"}, .base_url = "https://x"};
  ReferenceDesk desk{*store, settings, clock};
  std::array<std::string, 4> urls;
};

std::string WithUrls(std::string_view text, const Server& server) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_url = text[i] == '@' && i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '3';
    if (is_url) {
      out += server.urls.at(static_cast<std::size_t>(text[++i] - '0'));
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return -1;
  static Server server;
  const std::string message = WithUrls({reinterpret_cast<const char*>(data) + 1, size - 1}, server);
  auto resolved = Resolve(*server.store, server.desk, message, data[0] % 2 == 1,
                          {server.owner, storage::Role::kPf}, {}, kLimit);
  if (!resolved) return 0;
  const auto announced = resolved->message.size();
  if (announced > kLimit || resolved->used.size() != resolved->used_by.size() ||
      resolved->used.size() + resolved->not_resolved.size() != resolved->references)
    std::abort();
  std::string out;
  while (!resolved->message.done())
    if (!resolved->message.Take(out)) std::abort();
  if (out.size() != announced) std::abort();
  if (resolved->references == 0 && out != message) std::abort();
  return 0;
}
