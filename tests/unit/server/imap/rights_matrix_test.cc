// Every command against every right that it needs (RFC 4314 §4), as a guest in another user's mailbox. The
// commands are those of the command table: one without a row here fails.
#include <algorithm>
#include <map>

#include "server/imap/command_table.h"
#include "storage/store/rights.h"
#include "tests/support/store_access.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using storage::Right;
using storage::Rights;

enum class Selects { kNothing, kMailbox, kOwnInbox };

/// One way to give a command. "@" stands for the mailbox, "@@" for that name without its quotes.
struct Use {
  std::string line;
  std::vector<std::string> needs;  ///< of each group one right, `l` and `r` aside if it selects
  Selects selects = Selects::kNothing;
  std::string literal{};  ///< sent with LITERAL+ at the end of the line
  bool by_owner = false;  ///< in their own mailbox, which their list takes rights of
};

/// A right without which a command is OK as well, but does less.
struct Effect {
  std::string line;  ///< as of a Use; empty: `look` is the command
  std::string base;  ///< what else it needs
  std::string right;
  std::string look;   ///< what the guest asks then, with the mailbox open,
  std::string shows;  ///< and hears with the right only
  Selects selects = Selects::kNothing;
  std::string literal{};
  std::string has{};  ///< a flag that the message has before
};

struct Row {
  std::vector<Use> uses;
  std::vector<Effect> effects{};
};

const std::string kMail = "Subject: x\r\n\r\n";

/// Of a command that sets all four flags, or whose message has them.
std::vector<Effect> FlagEffects(const std::string& line, const std::string& base, Selects selects,
                                const std::string& literal = {}) {
  std::vector<Effect> out;
  for (const auto& [flag, right] : std::map<std::string, std::string>{
           {"\\Seen", "s"}, {"\\Flagged", "w"}, {"$Keyword", "w"}, {"\\Deleted", "t"}}) {
    if (base.find(right) == std::string::npos)
      out.push_back({line, base, right, "UID FETCH * FLAGS", flag, selects, literal});
  }
  return out;
}

/// Commands that ask for no right on a mailbox. A new command is here or in the matrix.
constexpr std::string_view kNeedsNone[] = {
    "CAPABILITY", "NOOP", "LOGOUT", "ID", "STARTTLS", "AUTHENTICATE", "LOGIN", "UNAUTHENTICATE", "ENABLE",
    "COMPRESS", "NAMESPACE", "IDLE", "CHECK", "UNSELECT", "CANCELUPDATE",
    // Any name is taken, and told again as it was given: others.nothing_is_learnt_names.
    "SUBSCRIBE", "UNSUBSCRIBE", "LSUB",
    "GETQUOTA",  // tells what GETQUOTAROOT does of any mailbox: quota.others
    "SETQUOTA",  // of one's own account, and by a PF alone: quota.setquota
    "RESETKEY",  // of one's own mailboxes, and it only takes away: urlauth.resetkey
    "URLFETCH",  // has no mailbox of its own: what it tells NIL of is in urlauth.rights
};

/// Every other command, with every right that it asks for.
const std::map<std::string_view, Row>& Matrix() {
  const auto kMailbox = Selects::kMailbox;
  const std::string url =
      "\"imap://user1%40example.com@localhost/@@/;uid=1;urlauth=user+user1%40example.com\"";
  const std::string flags = "(\\Seen \\Flagged \\Deleted $Keyword)";
  static const std::map<std::string_view, Row> matrix{
      {"SELECT", {{{"SELECT @", {"r"}}}}},
      {"EXAMINE", {{{"EXAMINE @", {"r"}}}}},
      {"CREATE", {{{"CREATE \"@@/new\"", {"k"}}, {"CREATE \"@@/new/deep\"", {"k"}}}}},
      {"DELETE", {{{"DELETE @", {"x"}}}}},
      {"RENAME", {{{"RENAME \"@@/sub\" \"@@/other\"", {"x", "k"}}}}},
      {"LIST",
       {{},
        {{"", "i", "l", "LIST \"\" @", "* LIST "},
         {"", "l", "r", "LIST \"\" @ RETURN (STATUS (MESSAGES))", "* STATUS "}}}},
      {"STATUS", {{{"STATUS @ (MESSAGES)", {"r"}}}}},
      {"GETMETADATA", {{{"GETMETADATA @ /private/comment", {"rswip"}}}}},
      {"SETMETADATA",
       {{{"SETMETADATA @ (/private/comment \"x\")", {"rswip"}},
         {"SETMETADATA @ (/shared/comment \"x\")", {"rswip", "n"}}}}},
      {"NOTIFY",
       {{}, {{"", "l", "r", "NOTIFY SET STATUS (mailboxes @ (MessageNew MessageExpunge))", "* STATUS "}}}},
      {"SETACL", {{{"SETACL @ x@example.com lr", {"a"}}}}},
      {"DELETEACL", {{{"DELETEACL @ x@example.com", {"a"}}}}},
      {"GETACL", {{{"GETACL @", {"a"}}}}},
      {"LISTRIGHTS", {{{"LISTRIGHTS @ x@example.com", {"a"}}}}},
      {"MYRIGHTS", {{{"MYRIGHTS @", {"lrikxa"}}}}},
      {"GETQUOTAROOT", {{{"GETQUOTAROOT @", {"r"}}}}},
      // The owner's alone: others.nothing_is_learnt_urls.
      {"GENURLAUTH", {{{"GENURLAUTH " + url + " INTERNAL", {"r"}, Selects::kNothing, {}, true}}}},
      {"CLOSE", {{}, {{"CLOSE", "lr", "e", "STATUS @ (MESSAGES)", "MESSAGES 0", kMailbox, {}, "\\Deleted"}}}},
      {"EXPUNGE", {{{"EXPUNGE", {"r", "e"}, kMailbox}, {"UID EXPUNGE 1", {"r", "e"}, kMailbox}}}},
      {"SEARCH", {{{"SEARCH ALL", {"r"}, kMailbox}, {"UID SEARCH RETURN (COUNT) ALL", {"r"}, kMailbox}}}},
      {"SORT", {{{"UID SORT (ARRIVAL) UTF-8 ALL", {"r"}, kMailbox}}}},
      {"THREAD", {{{"UID THREAD REFERENCES UTF-8 ALL", {"r"}, kMailbox}}}},
      {"FETCH",
       {{{"FETCH 1 FLAGS", {"r"}, kMailbox}, {"UID FETCH 1 FLAGS", {"r"}, kMailbox}},
        {{"UID FETCH 1 BODY[TEXT]", "lr", "s", "UID FETCH 1 FLAGS", "\\Seen", kMailbox}}}},
      {"STORE",
       {{{"UID STORE 1 +FLAGS (\\Seen)", {"r", "s"}, kMailbox},
         {"UID STORE 1 +FLAGS (\\Flagged $Keyword)", {"r", "w"}, kMailbox},
         {"UID STORE 1 FLAGS (\\Deleted)", {"r", "swt"}, kMailbox},
         {"UID STORE 1 +FLAGS (\\Deleted)", {"r", "t"}, kMailbox}},
        FlagEffects("UID STORE 1 FLAGS " + flags, "lrs", kMailbox)}},
      {"COPY",
       {{{"UID COPY 1 @", {"i"}, Selects::kOwnInbox}, {"UID COPY 1 @", {"r", "i"}, kMailbox}},
        FlagEffects("UID COPY 1 @", "lri", Selects::kOwnInbox)}},
      {"MOVE",
       {{{"UID MOVE 1 @", {"r", "i", "t", "e"}, kMailbox},
         {"UID MOVE 1 INBOX", {"r", "t", "e"}, kMailbox},
         {"UID MOVE 1 @", {"i"}, Selects::kOwnInbox}},
        FlagEffects("UID MOVE 1 @", "lri", Selects::kOwnInbox)}},
      // These stream and are in no table.
      {"APPEND",
       {{{"APPEND @", {"i"}, Selects::kNothing, kMail}},
        FlagEffects("APPEND @ " + flags, "lri", Selects::kNothing, kMail)}},
      {"REPLACE",
       {{{"UID REPLACE 1 @", {"r", "i", "t", "e"}, kMailbox, kMail}},
        FlagEffects("UID REPLACE 1 @ " + flags, "lrite", kMailbox, kMail)}},
  };
  return matrix;
}

std::string LastLine(std::string answer) {
  answer.pop_back();
  return answer.substr(answer.rfind('\n') + 1);
}

class RightsMatrixTest : public ImapTest {
 protected:
  RightsMatrixTest() {
    storage::NewAccount account;
    account.address = kGuest;
    account.password_hash = store_->GetAccount(account_)->password_hash;
    const auto made = store_->CreateAccount(account);
    EXPECT_TRUE(made) << made.error().detail;
    if (made) guest_ = *made;
  }

  /// The tagged line of the use in a new mailbox, on which whoever gives it has these rights.
  std::string Try(Client& c, const Use& use, Rights rights) {
    const std::string who = use.by_owner ? kOwner : kGuest;
    const std::string path = MakeBox();
    Give(path, who, use.selects == Selects::kMailbox ? Right::kLookup | Right::kRead : rights);
    Give(path + "/sub", who, rights);
    Select(c, use.selects, Shared(path));
    Give(path, who, rights);
    return LastLine(Send(c, use.line, use.literal, use.by_owner ? path : Shared(path), use.selects));
  }
  /// The same where there is nothing.
  std::string TryNowhere(Client& c, const Use& use) {
    Select(c, use.selects, Shared("nowhere"));
    return LastLine(Send(c, use.line, use.literal, Shared("nowhere"), use.selects));
  }
  /// What the guest hears who asks what has become of it.
  std::string LookAfter(Client& c, const Effect& effect, Rights rights) {
    const std::string path = MakeBox(effect.has);
    Give(path, kGuest, effect.selects == Selects::kMailbox ? Right::kLookup | Right::kRead : rights);
    Select(c, effect.selects, Shared(path));
    Give(path, kGuest, rights);
    if (!effect.line.empty()) {
      const auto answer = Send(c, effect.line, effect.literal, Shared(path), effect.selects);
      EXPECT_THAT(LastLine(answer), testing::StartsWith("a OK"))
          << effect.line << " with " << rights.Letters();
      EXPECT_THAT(Send(c, "EXAMINE @", {}, Shared(path)), testing::HasSubstr("\na OK"));
    }
    const auto answer = Send(c, effect.look, {}, Shared(path));
    EXPECT_THAT(LastLine(answer), testing::StartsWith("a OK")) << effect.look << " with " << rights.Letters();
    return answer;
  }

  Client Guest() {
    Client c = Connect();
    c.Line();
    EXPECT_THAT(c("LOGIN bea@example.com secret"), testing::StartsWith("a OK"));
    return c;
  }

 private:
  static std::string Shared(const std::string& path) { return "Other Users/sip:user1@example.com/" + path; }
  /// A new one of the owner's with one message.
  std::string MakeBox(const std::string& flag = {}) {
    const std::string path = "box" + std::to_string(++boxes_);
    const auto made = store_->CreateFolder(account_, path, {});
    EXPECT_TRUE(made && store_->CreateFolder(account_, path + "/sub", {}));
    Fill(1, path);
    if (flag.empty()) return path;
    const protocol::FlagChange add{protocol::FlagChange::Op::kAdd, tests::Flags({flag})};
    EXPECT_TRUE(store_->UpdateFlags(made->ref, tests::Uids({1}), add));
    return path;
  }
  void Give(const std::string& path, std::string_view who, Rights rights) {
    const auto done = store_->SetAcl(account_, path, who, {protocol::RightsChange::Op::kReplace, rights});
    EXPECT_TRUE(done) << done.error().detail;
  }
  void Select(Client& c, Selects selects, const std::string& name) {
    if (selects == Selects::kMailbox) EXPECT_THAT(c("SELECT \"" + name + "\""), testing::HasSubstr("\na OK"));
    if (selects == Selects::kOwnInbox) {
      EXPECT_THAT(c.Append("INBOX (\\Seen \\Flagged \\Deleted $Keyword)", "Subject: own\r\n\r\n"),
                  testing::HasSubstr("a OK"));
      EXPECT_THAT(c("SELECT INBOX"), testing::HasSubstr("\na OK"));
    }
  }
  /// The whole answer.
  static std::string Send(Client& c, std::string line, const std::string& literal, const std::string& name,
                          Selects selects = Selects::kNothing) {
    Replace(line, "@@", name);
    Replace(line, " @", " \"" + name + "\"");
    if (selects == Selects::kOwnInbox) Replace(line, " 1 ", " * ");
    if (literal.empty()) return c(line);
    c.Send("a " + line + " {" + std::to_string(literal.size()) + "+}\r\n" + literal + "\r\n");
    return c.Answer();
  }
  /// Not within an address.
  static void Replace(std::string& text, const std::string& what, const std::string& with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
      text.replace(at, what.size(), with);
  }

  static constexpr const char* kOwner = "sip:user1@example.com";
  static constexpr const char* kGuest = "sip:bea@example.com";
  storage::AccountId guest_;
  int boxes_ = 0;
};

TEST_F(RightsMatrixTest, EachCommandHasItsRowOrIsOneThatNeedsNone) {
  std::vector<std::string_view> names{"APPEND", "REPLACE"};
  for (const CommandRow& row : kCommands) names.push_back(row.name);
  for (const auto name : names) {
    const auto row = Matrix().find(name);
    const bool asks = row != Matrix().end() && !(row->second.uses.empty() && row->second.effects.empty());
    EXPECT_NE(asks, std::ranges::find(kNeedsNone, name) != std::end(kNeedsNone)) << name;
  }
  EXPECT_EQ(Matrix().size() + std::size(kNeedsNone), names.size());
}

TEST_F(RightsMatrixTest, EachCommandAsksForItsRights) {
  Client guest = Guest();
  Client owner = LoggedIn();
  for (const auto& [name, row] : Matrix()) {
    for (const Use& use : row.uses) {
      Client& c = use.by_owner ? owner : guest;
      const bool selects = use.selects == Selects::kMailbox;
      const Rights base = selects ? Right::kLookup | Right::kRead : Rights(Right::kLookup);
      // One right of each group is enough.
      for (std::size_t i = 0; i < 6; ++i) {
        Rights enough = base;
        for (const std::string& group : use.needs)
          enough = enough | *Rights::Parse(group.substr(std::min(i, group.size() - 1), 1));
        EXPECT_THAT(Try(c, use, enough), testing::StartsWith("a OK"))
            << use.line << " with " << enough.Letters();
      }
      for (const std::string& group : use.needs) {
        const Rights without = Rights::All() - *Rights::Parse(group);
        if (without.Has(Right::kLookup)) {
          EXPECT_THAT(Try(c, use, without), testing::StartsWith("a NO [NOPERM]"))
              << use.line << " without " << group;
        }
        // Who may not even see it hears what they would of a mailbox that is not there.
        if (selects || use.by_owner) continue;
        EXPECT_EQ(Try(c, use, without - Right::kLookup), TryNowhere(c, use))
            << use.line << " without " << group;
      }
    }
  }
}

TEST_F(RightsMatrixTest, EachCommandDoesNoMoreThanItsRights) {
  Client c = Guest();
  for (const auto& [name, row] : Matrix()) {
    for (const Effect& effect : row.effects) {
      const Rights right = *Rights::Parse(effect.right);
      EXPECT_THAT(LookAfter(c, effect, *Rights::Parse(effect.base) | right), testing::HasSubstr(effect.shows))
          << name << " with " << effect.right;
      EXPECT_THAT(LookAfter(c, effect, Rights::All() - right), testing::Not(testing::HasSubstr(effect.shows)))
          << name << " without " << effect.right;
    }
  }
}

}  // namespace
}  // namespace server::imap
