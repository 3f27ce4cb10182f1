#include "tests/support/transcript_player.h"

#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "protocol/text/base64.h"
#include "tests/support/transcript_given.h"
#include "tests/support/transcript_pattern.h"

namespace tests::transcript {
namespace {

using Kind = Step::Kind;

/// What stops a transcript; caught by Play().
struct Failure {
  std::string text;
};

struct Session {
  std::unique_ptr<Client> client;
  bool logged_in = false;
  int commands = 0;
};

class Player {
 public:
  Player(const Script& script, Server& server) : script_(script), server_(server) {
    bindings_["user"] = server.user();
  }

  std::optional<std::string> Play() {
    const Step* at = nullptr;
    try {
      for (const Step& step : script_.steps) {
        at = &step;
        Do(step);
      }
      at = nullptr;
      ExpectNothingLeft();
    } catch (const Failure& failure) {
      const std::string where = at == nullptr ? "at the end" : fmt::format("line {}", at->line);
      return fmt::format("{}{}: {}\n", dialog_, where, failure.text);
    }
    return std::nullopt;
  }

 private:
  void Do(const Step& step) {
    switch (step.kind) {
      case Kind::kGiven: return Given(step.text);
      case Kind::kSend: return Send(step.session, step.text, "\r\n");
      case Kind::kSendPart: return Send(step.session, step.text, "");
      case Kind::kExpect: return Expect(step);
      case Kind::kAnyOrder: return ExpectGroup(step);
      case Kind::kWords: return ExpectWords(step);
      case Kind::kSkip: skipping_ = true; return;
      case Kind::kConnect: return Connect(step);
      case Kind::kLogin: return Login(step.session, step.text.empty() ? server_.user() : step.text);
      case Kind::kRun: return Run(step.session, step.text);
      case Kind::kHandshake: return Handshake(Named(step.session));
      case Kind::kCompress: return Named(step.session).client->Compress();
      case Kind::kHangUp: Named(step.session).client->HangUp(); return;
      case Kind::kClosed: return ExpectClosed(step.session);
      case Kind::kNothing: return ExpectNothing(step.session);
      case Kind::kAdvance: server_.Advance(step.time); return;
      case Kind::kShutdown: server_.Shutdown(); return;
    }
  }

  void Given(std::string_view what) {
    const auto commands = GivenCommands(what, script_.messages);
    if (!commands) {
      const auto refusal = server_.Given(what);
      if (refusal) throw Failure{*refusal};
      return;
    }
    Session& session = sessions_["given"];
    // It may have been idle for too long.
    if (session.client) session.client->Exchange();
    if (!session.client || session.client->ended()) Login("given", server_.user());
    for (const auto& command : *commands) {
      // Several lines may speak of one folder.
      if (command.starts_with("CREATE ") && !created_.insert(command).second) continue;
      Run("given", command);
    }
  }

  Session& Named(const std::string& name) {
    Session& session = sessions_[name];
    if (!session.client) throw Failure{"session " + name + " is not connected"};
    return session;
  }

  Session& Open(const std::string& name, const Approach& approach) {
    Session& session = sessions_[name];
    session = {};
    session.client = server_.Connect(approach);
    if (approach.implicit_tls) Handshake(session);
    return session;
  }

  void Connect(const Step& step) {
    Approach approach;
    approach.remote = step.text.find("remote") != std::string::npos;
    approach.implicit_tls = step.text.find("tls") != std::string::npos;
    Open(step.session, approach);
  }

  /// "bob", or "pf for bob": the former's password, the latter's account.
  void Login(const std::string& name, const std::string& user) {
    Open(name, {});
    NextLine(name);  // the greeting
    const auto for_whom = user.find(" for ");
    if (for_whom == std::string::npos) {
      RunOn(name, fmt::format("LOGIN {} pass", user));
    } else {
      using namespace std::string_literals;
      const std::string octets = user.substr(for_whom + 5) + "\0"s + user.substr(0, for_whom) + "\0pass"s;
      RunOn(name, "AUTHENTICATE PLAIN " + protocol::text::EncodeBase64(octets));
    }
    sessions_[name].logged_in = true;
  }

  void Run(const std::string& name, const std::string& command) {
    if (!sessions_[name].client) Login(name, server_.user());
    RunOn(name, Substitute(command, bindings_));
  }

  /// Unseen by the transcript, but it must succeed.
  void RunOn(const std::string& name, const std::string& command) {
    Session& session = Named(name);
    const std::string tag = fmt::format("run{}", ++session.commands);
    session.client->Send(fmt::format("{} {}\r\n", tag, command));
    for (;;) {
      const std::string line = NextLine(name);
      if (line.starts_with(tag + " OK")) return;
      if (line.starts_with(tag)) {
        throw Failure{
            fmt::format("\"{}\" must succeed, but the answer is \"{}\"", Escape(command), Escape(line))};
      }
    }
  }

  void Handshake(Session& session) {
    Client& client = *session.client;
    client.StartTls();
    const bool done = server_.Await(client, [&] { return client.secure(); });
    if (!done) throw Failure{"no TLS handshake"};
  }

  void Send(const std::string& name, std::string_view text, std::string_view end) {
    Client& client = *Named(name).client;
    const std::string octets = InsertMessages(Unescape(Substitute(text, bindings_)), script_.messages);
    Note(name, "> ", octets);
    client.Send(octets + std::string(end));
    // What nobody waits for must have happened before the next step, too: another session may look at it.
    if (server_.InProcess()) server_.Await(client, [] { return false; });
  }

  void Note(std::string_view name, std::string_view arrow, std::string_view octets) {
    if (octets.size() > 2000) {
      dialog_ +=
          fmt::format("{}{}{}[{} octets]\n", name, arrow, Escape(octets.substr(0, 100)), octets.size());
    } else {
      dialog_ += fmt::format("{}{}{}\n", name, arrow, Escape(octets));
    }
  }

  /// Waits for a line; fails if none will come.
  std::string NextLine(const std::string& name, const std::string& expected = {}) {
    Client& client = *Named(name).client;
    const bool there = server_.Await(client, [&] { return client.HasLine(); });
    if (!there) {
      std::string what =
          client.ended() ? "the server has closed the connection" : "the server has nothing more to say";
      if (!client.rest().empty()) what += ", after half a line: " + Escape(client.rest());
      if (!expected.empty()) what += fmt::format("\n  expected  {}< {}", name, expected);
      throw Failure{what};
    }
    std::string line = *client.TakeLine();
    if (server_.InProcess() && IsNoWithoutCode(line))
      throw Failure{"each NO says why in a response code (RFC 5530), not so: " + Escape(line)};
    return line;
  }

  /// "tag NO text".
  static bool IsNoWithoutCode(std::string_view line) {
    const auto tag_end = line.find(' ');
    if (tag_end == std::string_view::npos) return false;
    const auto rest = line.substr(tag_end + 1);
    return rest.starts_with("NO ") && !rest.starts_with("NO [");
  }

  void Expect(const Step& step) {
    std::string_view rest;
    const std::string text = InsertMessages(step.text, script_.messages);
    rest = text;
    // The octets of a message are several lines.
    for (;;) {
      const auto end = rest.find("\r\n");
      ExpectLine(step.session, std::string(rest.substr(0, end)));
      if (end == std::string_view::npos) return;
      rest.remove_prefix(end + 2);
    }
  }

  void ExpectLine(const std::string& name, const std::string& pattern) {
    for (;;) {
      const std::string line = NextLine(name, pattern);
      if (Matches(pattern, line, bindings_)) {
        Note(name, "< ", line);
        skipping_ = false;
        return;
      }
      if (!skipping_) Mismatch(name, Substitute(pattern, bindings_), line);
      Note(name, "< ", line);
    }
  }

  void ExpectGroup(const Step& step) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < step.texts.size(); ++i)
      lines.push_back(NextLine(step.session, step.texts[i]));
    if (!MatchesInAnyOrder(step.texts, lines, bindings_)) {
      std::string all = "these lines do not fit in any order\n";
      for (const auto& text : step.texts) all += fmt::format("  expected  {}\n", Substitute(text, bindings_));
      for (const auto& line : lines) all += fmt::format("  received  {}\n", Escape(line));
      throw Failure{all};
    }
    for (const auto& line : lines) Note(step.session, "< ", line);
  }

  void ExpectWords(const Step& step) {
    const std::string line = NextLine(step.session, step.text);
    const auto missing = MissingWord(step.text, line, bindings_);
    if (missing) {
      throw Failure{fmt::format("the word {} is at fault\n  expected  {}\n  received  {}", *missing,
                                step.text, Escape(line))};
    }
    Note(step.session, "< ", line);
  }

  /// The place of the first difference, as far as that can be said of a pattern.
  [[noreturn]] void Mismatch(const std::string& name, const std::string& pattern, const std::string& line) {
    const std::string shown = Escape(line);
    std::size_t same = 0;
    while (same < pattern.size() && same < shown.size() && pattern[same] == shown[same]) ++same;
    throw Failure{
        fmt::format("another line than expected from {}\n  expected  {}\n  received  {}\n            {}^",
                    name, pattern, shown, std::string(same, ' '))};
  }

  void ExpectClosed(const std::string& name) {
    Client& client = *Named(name).client;
    server_.Await(client, [&] { return client.ended() || client.HasLine(); });
    if (client.HasLine())
      throw Failure{"expected the end of the connection, not: " + Escape(*client.TakeLine())};
    if (!client.ended()) throw Failure{"the connection is still open"};
  }

  void ExpectNothing(const std::string& name) {
    Client& client = *Named(name).client;
    server_.Await(client, [&] { return client.ended() || client.HasLine(); });
    if (client.HasLine()) throw Failure{"expected nothing, not: " + Escape(*client.TakeLine())};
    if (client.ended()) throw Failure{"the connection is closed"};
    if (!client.rest().empty()) throw Failure{"expected nothing, not: " + Escape(client.rest())};
  }

  void ExpectNothingLeft() {
    for (const auto& [name, session] : sessions_) {
      if (!session.client) continue;
      Client& client = *session.client;
      server_.Await(client, [&] { return client.HasLine(); });
      if (client.HasLine())
        throw Failure{fmt::format("{} was sent more: {}", name, Escape(*client.TakeLine()))};
    }
  }

  const Script& script_;
  Server& server_;
  std::map<std::string, Session> sessions_;
  std::set<std::string> created_;
  Bindings bindings_;
  std::string dialog_;
  bool skipping_ = false;
};

}  // namespace

std::optional<std::string> Play(const Script& script, Server& server) {
  return Player(script, server).Play();
}

bool NeedsLocalServer(const Script& script) {
  if (!script.only_here.empty()) return true;
  for (const Step& step : script.steps) {
    switch (step.kind) {
      case Kind::kConnect:
        if (!step.text.empty()) return true;
        break;
      case Kind::kGiven:
        if (!GivenCommands(step.text, script.messages)) return true;
        break;
      case Kind::kHandshake:
      case Kind::kCompress:
      case Kind::kAdvance:
      case Kind::kShutdown: return true;
      case Kind::kSend:
      case Kind::kSendPart:
      case Kind::kExpect:
      case Kind::kAnyOrder:
      case Kind::kWords:
      case Kind::kSkip:
      case Kind::kLogin:
      case Kind::kRun:
      case Kind::kHangUp:
      case Kind::kClosed:
      case Kind::kNothing: break;
    }
  }
  return false;
}

}  // namespace tests::transcript
