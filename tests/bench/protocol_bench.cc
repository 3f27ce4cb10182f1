#include <benchmark/benchmark.h>

#include "protocol/imap/command_reader.h"
#include "protocol/imap/write/fetch.h"
#include "protocol/text/modified_utf7.h"

/// How fast commands are read and FETCH answers written, on one thread.
namespace protocol {
namespace {

void ReadCommands(benchmark::State& state, std::string_view wire) {
  CommandReader reader;
  reader.SetAuthenticated();
  for (auto _ : state) {
    reader.Feed({wire.data(), wire.size()});
    for (Step step = reader.Next(); !std::holds_alternative<NeedBytes>(step); step = reader.Next()) {
      benchmark::DoNotOptimize(step);
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(ReadCommands, noop, "a001 NOOP\r\n");
BENCHMARK_CAPTURE(ReadCommands, uid_fetch_body, "a001 UID FETCH 4711 (UID FLAGS BODY.PEEK[])\r\n");
BENCHMARK_CAPTURE(
    ReadCommands, fetch_envelope,
    "a001 FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY.PEEK[HEADER.FIELDS (From To "
    "Subject Date)])\r\n");
BENCHMARK_CAPTURE(ReadCommands, store, "a001 UID STORE 1:3,5,9 +FLAGS.SILENT (\\Seen $Label1)\r\n");
BENCHMARK_CAPTURE(ReadCommands, search_literal,
                  "a001 UID SEARCH CHARSET UTF-8 UNSEEN TEXT {5+}\r\nhello\r\n");

void ReadAppend(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::string head = "a001 APPEND INBOX (\\Seen) {" + std::to_string(size) + "+}\r\n";
  const std::string body(size, 'x');
  CommandReader reader;
  reader.SetAuthenticated();
  std::size_t got = 0;
  for (auto _ : state) {
    reader.Feed({head.data(), head.size()});
    for (std::size_t at = 0; at <= body.size() + 1;) {
      Step step = reader.Next();
      if (std::holds_alternative<command::AppendMessage>(step)) reader.Accept();
      if (const auto* part = std::get_if<AppendOctets>(&step)) got += part->octets.size();
      if (std::holds_alternative<AppendEnd>(step)) break;
      if (!std::holds_alternative<NeedBytes>(step)) continue;
      if (at == body.size()) {
        reader.Feed({"\r\n", 2});
        at += 2;
        reader.Next();
        continue;
      }
      const auto space = reader.Space();
      const std::size_t n = std::min(space.size(), body.size() - at);
      std::copy_n(body.data() + at, n, space.data());
      reader.Grow(n);
      at += n;
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(got));
}
BENCHMARK(ReadAppend)->Arg(2048)->Arg(10 << 20);

void WriteFetchFlags(benchmark::State& state) {
  const std::vector<std::string> keywords{"$Label1", "\\read-report-sent"};
  std::string out;
  std::uint32_t n = 0;
  for (auto _ : state) {
    if (out.size() > 60'000) out.clear();
    ++n;
    write::FetchResponse response(out, SeqNum{n});
    response.Uid(Uid{n + 100'000});
    response.Flags(n & 31U, n % 7 == 0 ? 1U : 0U, keywords, false);
    response.End();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(WriteFetchFlags);

void WriteFetchMeta(benchmark::State& state) {
  const std::string envelope(300, 'e');
  std::string out;
  std::uint32_t n = 0;
  for (auto _ : state) {
    if (out.size() > 60'000) out.clear();
    ++n;
    write::FetchResponse response(out, SeqNum{n});
    response.Uid(Uid{n});
    response.Flags(n & 31U, 0, {}, false);
    response.InternalDate({1'700'000'000 + n, 60});
    response.Rfc822Size(2048 + n);
    response.Structure(FetchItem::Kind::kEnvelope, envelope);
    response.End();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(WriteFetchMeta);

void MailboxNames(benchmark::State& state) {
  const std::string name = "RCSMessageStore/tel:+15550100111/Entw\xc3\xbcrfe \xe6\x97\xa5\xe6\x9c\xac";
  for (auto _ : state) benchmark::DoNotOptimize(text::FromModifiedUtf7(text::ToModifiedUtf7(name)));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(MailboxNames);

}  // namespace
}  // namespace protocol

BENCHMARK_MAIN();
