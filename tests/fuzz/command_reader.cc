#include "protocol/imap/command_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "protocol/imap/limits.h"

namespace {

using namespace protocol;

/// The first octet decides the size of the chunks and how the session answers; the rest is what the client
/// sends.
struct Plan {
  std::size_t chunk = 1;
  bool authenticated = false;
  bool refuse = false;
  bool expect_lines = false;
};

/// Everything that came out, with message octets joined, so that chunks cannot show.
std::string Run(const Plan& plan, std::string_view wire) {
  CommandReader reader;
  if (plan.authenticated) reader.SetAuthenticated();
  std::string out, octets;
  while (!wire.empty()) {
    const std::size_t n = std::min(plan.chunk, wire.size());
    reader.Feed({wire.data(), n});
    wire.remove_prefix(n);
    for (Step step = reader.Next(); !std::holds_alternative<NeedBytes>(step); step = reader.Next()) {
      if (const auto* part = std::get_if<AppendOctets>(&step)) {
        if (part->octets.empty()) std::abort();
        octets.append(part->octets.data(), part->octets.size());
        continue;
      }
      out += std::exchange(octets, {}) + '|' + std::to_string(step.index());
      if (const auto* bad = std::get_if<BadCommand>(&step)) WriteTagged(out, bad->tag, bad->reply);
      if (const auto* line = std::get_if<Line>(&step)) out += line->text;
      if (const auto* command = std::get_if<TaggedCommand>(&step)) {
        out += command->tag + std::to_string(command->command.index());
        if (plan.expect_lines) reader.ExpectLine();
      }
      const auto* message = std::get_if<command::AppendMessage>(&step);
      const auto* url = std::get_if<command::CatenateUrl>(&step);
      if (url != nullptr) out += url->url;
      if (plan.refuse && (message != nullptr || url != nullptr))
        reader.Refuse();
      else if (message != nullptr && !message->catenate)
        reader.Accept();
      if (std::holds_alternative<command::CatenateText>(step))
        plan.refuse ? reader.Refuse() : reader.Accept();
    }
    if (!reader.HasInput() && reader.HeapBytes() > limits::kStreamChunk + limits::kTag + limits::kReadChunk)
      std::abort();
  }
  return out + octets;
}

}  // namespace

/// The steps are the same however the octets arrive, and memory is bounded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Plan plan{.chunk = std::size_t{1} + (data[0] & 0x1fU),
            .authenticated = (data[0] & 0x20U) != 0,
            .refuse = (data[0] & 0x40U) != 0,
            .expect_lines = (data[0] & 0x80U) != 0};
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string in_chunks = Run(plan, wire);
  plan.chunk = size;
  if (Run(plan, wire) != in_chunks) std::abort();
  return 0;
}
