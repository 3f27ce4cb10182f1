// Every command against every right that it needs (RFC 4314 §4), as a guest in another user's mailbox. The
// commands are those of the command table: one without a row here fails.
#include <algorithm>
#include <map>

#include "server/imap/command_table.h"
#include "storage/store/rights.h"
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
};

/// No uses: it asks for no right on a mailbox, or what it asks was asked by SELECT (others.revoked).
const std::map<std::string_view, std::vector<Use>>& Matrix() {
  static const std::map<std::string_view, std::vector<Use>> matrix{
      {"CAPABILITY", {}},
      {"NOOP", {}},
      {"LOGOUT", {}},
      {"ID", {}},
      {"STARTTLS", {}},
      {"AUTHENTICATE", {}},
      {"LOGIN", {}},
      {"UNAUTHENTICATE", {}},
      {"ENABLE", {}},
      {"COMPRESS", {}},
      {"SELECT", {{"SELECT @", {"r"}}}},
      {"EXAMINE", {{"EXAMINE @", {"r"}}}},
      {"CREATE", {{"CREATE \"@@/new\"", {"k"}}, {"CREATE \"@@/new/deep\"", {"k"}}}},
      {"DELETE", {{"DELETE @", {"x"}}}},
      {"RENAME", {{"RENAME \"@@/sub\" \"@@/other\"", {"x", "k"}}}},
      {"SUBSCRIBE", {}},
      {"UNSUBSCRIBE", {}},
      {"LIST", {}},  // tells those with `l` and never says NO: others.list
      {"LSUB", {}},
      {"NAMESPACE", {}},
      {"STATUS", {{"STATUS @ (MESSAGES)", {"r"}}}},
      {"IDLE", {}},
      {"GETMETADATA", {{"GETMETADATA @ /private/comment", {"rswip"}}}},
      {"SETMETADATA",
       {{"SETMETADATA @ (/private/comment \"x\")", {"rswip"}},
        {"SETMETADATA @ (/shared/comment \"x\")", {"rswip", "n"}}}},
      {"NOTIFY", {}},
      {"SETACL", {{"SETACL @ x@example.com lr", {"a"}}}},
      {"DELETEACL", {{"DELETEACL @ x@example.com", {"a"}}}},
      {"GETACL", {{"GETACL @", {"a"}}}},
      {"LISTRIGHTS", {{"LISTRIGHTS @ x@example.com", {"a"}}}},
      {"MYRIGHTS", {{"MYRIGHTS @", {"lrikxa"}}}},
      {"GETQUOTA", {}},  // tells what GETQUOTAROOT does: quota.others
      {"GETQUOTAROOT", {{"GETQUOTAROOT @", {"r"}}}},
      {"SETQUOTA", {}},  // of one's own account, and by a PF alone: quota.setquota
      // The owner's alone, who needs `r`: urlauth.rights. Of another's mailbox they say that there is none.
      {"RESETKEY", {}},
      {"GENURLAUTH", {}},
      {"URLFETCH", {}},
      {"CHECK", {}},
      {"CLOSE", {}},  // expunges or does not: acl.store_flags
      {"UNSELECT", {}},
      {"EXPUNGE", {{"EXPUNGE", {"e"}, Selects::kMailbox}, {"UID EXPUNGE 1", {"e"}, Selects::kMailbox}}},
      {"SEARCH", {}},
      {"SORT", {}},
      {"THREAD", {}},
      {"FETCH", {}},
      {"STORE",
       {{"UID STORE 1 +FLAGS (\\Seen)", {"s"}, Selects::kMailbox},
        {"UID STORE 1 +FLAGS (\\Flagged $Keyword)", {"w"}, Selects::kMailbox},
        {"UID STORE 1 FLAGS (\\Deleted)", {"swt"}, Selects::kMailbox},
        {"UID STORE 1 +FLAGS (\\Deleted)", {"t"}, Selects::kMailbox}}},
      {"COPY", {{"UID COPY 1 @", {"i"}, Selects::kOwnInbox}, {"UID COPY 1 @", {"i"}, Selects::kMailbox}}},
      {"MOVE",
       {{"UID MOVE 1 @", {"i", "t", "e"}, Selects::kMailbox},
        {"UID MOVE 1 INBOX", {"t", "e"}, Selects::kMailbox},
        {"UID MOVE 1 @", {"i"}, Selects::kOwnInbox}}},
      {"CANCELUPDATE", {}},
      // These stream and are in no table.
      {"APPEND", {{"APPEND @", {"i"}, Selects::kNothing, "Subject: x\r\n\r\n"}}},
      {"REPLACE", {{"UID REPLACE 1 @", {"i", "t", "e"}, Selects::kMailbox, "Subject: x\r\n\r\n"}}},
  };
  return matrix;
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

  /// The tagged line of the use in a new mailbox, on which the guest has these rights.
  std::string Try(Client& c, const Use& use, Rights rights) {
    const std::string path = "box" + std::to_string(++boxes_);
    EXPECT_TRUE(store_->CreateFolder(account_, path + "/sub", {}));
    Fill(1, path);
    Give(path, use.selects == Selects::kMailbox ? Right::kLookup | Right::kRead : rights);
    Give(path + "/sub", rights);
    const std::string name = "Other Users/sip:user1@example.com/" + path;
    return Run(c, use, name, [&] { Give(path, rights); });
  }
  /// The same where there is nothing.
  std::string TryNowhere(Client& c, const Use& use) {
    return Run(c, use, "Other Users/sip:user1@example.com/nowhere", [] {});
  }

  Client Guest() {
    Client c = Connect();
    c.Line();
    EXPECT_THAT(c("LOGIN bea@example.com secret"), testing::StartsWith("a OK"));
    EXPECT_THAT(c.Append("INBOX", "Subject: own\r\n\r\n"), testing::StartsWith("a OK"));
    return c;
  }

 private:
  void Give(const std::string& path, Rights rights) {
    const auto done = store_->SetAcl(account_, path, kGuest, {protocol::RightsChange::Op::kReplace, rights});
    EXPECT_TRUE(done) << done.error().detail;
  }
  std::string Run(Client& c, const Use& use, const std::string& name, const std::function<void()>& selected) {
    if (use.selects == Selects::kMailbox)
      EXPECT_THAT(c("SELECT \"" + name + "\""), testing::HasSubstr("\na OK"));
    if (use.selects == Selects::kOwnInbox) {
      EXPECT_THAT(c.Append("INBOX", "Subject: own\r\n\r\n"), testing::HasSubstr("a OK"));
      EXPECT_THAT(c("SELECT INBOX"), testing::HasSubstr("\na OK"));
    }
    selected();
    std::string line = use.line;
    Replace(line, "@@", name);
    Replace(line, " @", " \"" + name + "\"");
    if (use.selects == Selects::kOwnInbox) Replace(line, " 1 ", " * ");
    std::string answer;
    if (use.literal.empty()) {
      answer = c(line);
    } else {
      c.Send("a " + line + " {" + std::to_string(use.literal.size()) + "+}\r\n" + use.literal + "\r\n");
      answer = c.Answer();
    }
    answer.pop_back();
    return answer.substr(answer.rfind('\n') + 1);
  }
  /// Not within an address.
  static void Replace(std::string& text, const std::string& what, const std::string& with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
      text.replace(at, what.size(), with);
  }

  static constexpr const char* kGuest = "sip:bea@example.com";
  storage::AccountId guest_;
  int boxes_ = 0;
};

TEST_F(RightsMatrixTest, EachCommandHasItsRow) {
  for (const CommandRow& row : kCommands) EXPECT_TRUE(Matrix().contains(row.name)) << row.name;
  EXPECT_EQ(Matrix().size(), kCommands.size() + 2);
}

TEST_F(RightsMatrixTest, EachCommandAsksForItsRights) {
  Client c = Guest();
  for (const auto& [name, uses] : Matrix()) {
    for (const Use& use : uses) {
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
        if (selects) continue;
        EXPECT_EQ(Try(c, use, without - Right::kLookup), TryNowhere(c, use))
            << use.line << " without " << group;
      }
    }
  }
}

}  // namespace
}  // namespace server::imap
