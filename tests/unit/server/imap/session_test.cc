// The path of commands end to end: socket, session, store.
#include <fmt/format.h>

#include "protocol/imap/limits.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using SessionTest = ImapTest;

TEST_F(SessionTest, GreetsWithItsCapabilities) {
  Client c = Connect();
  EXPECT_THAT(c.Line(), StartsWith("* OK [CAPABILITY IMAP4rev1 "));
}

TEST_F(SessionTest, LogsInAndOut) {
  Client c = Connect();
  c.Line();
  EXPECT_THAT(c("LOGIN user1@example.com wrong"), StartsWith("a NO [AUTHENTICATIONFAILED]"));
  EXPECT_THAT(c("LOGIN user1@example.com secret"), StartsWith("a OK [CAPABILITY IMAP4rev1 "));
  EXPECT_THAT(c("LOGIN user1@example.com secret"), StartsWith("a BAD LOGIN is not possible after login"));
  EXPECT_EQ(c("LOGOUT"), "* BYE Logging out\na OK LOGOUT completed\n");
  EXPECT_EQ(c.Line(), "(closed)");
}

TEST_F(SessionTest, CommandsSayWhatStateTheyNeed) {
  Client c = Connect();
  c.Line();
  EXPECT_EQ(c("LIST \"\" *"), "a BAD LIST needs a login first\n");
  EXPECT_EQ(c("FETCH 1 FLAGS"), "a BAD FETCH needs a login first\n");
  EXPECT_THAT(c("LOGIN user1@example.com secret"), StartsWith("a OK"));
  EXPECT_EQ(c("FETCH 1 FLAGS"), "a BAD FETCH needs a selected mailbox: SELECT one first\n");
}

TEST_F(SessionTest, AuthenticatesByPlainWithAndWithoutInitialResponse) {
  Client c = Connect();
  c.Line();
  // NUL user1@example.com NUL secret
  EXPECT_THAT(c("AUTHENTICATE PLAIN AHVzZXIxQGV4YW1wbGUuY29tAHNlY3JldA=="), StartsWith("a OK [CAPABILITY"));
  Client d = Connect();
  d.Line();
  d.Send("b AUTHENTICATE PLAIN\r\n");
  EXPECT_EQ(d.Line(), "+ ");
  d.Send("AHVzZXIxQGV4YW1wbGUuY29tAHNlY3JldA==\r\n");
  EXPECT_THAT(d.Line(), StartsWith("b OK"));
}

TEST_F(SessionTest, AuthenticateCanBeCancelled) {
  Client c = Connect();
  c.Line();
  c.Send("b AUTHENTICATE LOGIN\r\n");
  EXPECT_THAT(c.Line(), StartsWith("+ "));
  c.Send("*\r\n");
  EXPECT_THAT(c.Line(), StartsWith("b BAD"));
  EXPECT_EQ(c("NOOP"), "a OK NOOP completed\n");
}

TEST_F(SessionTest, WithoutTlsLoginIsRefusedUnlessConfigured) {
  options_.plaintext_login_on_loopback = false;
  Client c = Connect();
  EXPECT_THAT(c.Line(), HasSubstr("LOGINDISABLED"));
  EXPECT_THAT(c("LOGIN user1@example.com secret"), StartsWith("a NO [PRIVACYREQUIRED]"));
}

TEST_F(SessionTest, SelectDescribesTheFolder) {
  Fill(3);
  Client c = LoggedIn();
  const std::string answer = c("SELECT INBOX");
  EXPECT_THAT(
      answer,
      StartsWith("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $MDNSent "
                 "\\read-report-sent)\n* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft "
                 "$Forwarded $MDNSent \\read-report-sent \\*)]"));
  EXPECT_THAT(answer, HasSubstr("* 3 EXISTS\n* 3 RECENT\n* OK [UNSEEN 1]"));
  EXPECT_THAT(answer, HasSubstr("* OK [UIDNEXT 4]"));
  EXPECT_THAT(answer, HasSubstr("* OK [MAILBOXID (F"));
  EXPECT_THAT(answer, EndsWith("a OK [READ-WRITE] SELECT completed\n"));
  EXPECT_THAT(c("EXAMINE INBOX"), EndsWith("a OK [READ-ONLY] EXAMINE completed\n"));
}

TEST_F(SessionTest, FailedSelectLeavesNothingSelected) {
  Client c = Selected();
  EXPECT_THAT(c("SELECT Nowhere"), AllOf(StartsWith("* OK [CLOSED] "), HasSubstr("\na NO [NONEXISTENT]")));
  EXPECT_THAT(c("FETCH 1 FLAGS"), StartsWith("a BAD"));
}

TEST_F(SessionTest, KnownUidsAreBounded) {
  // RFC 7162 §4: clients send long sets; a million ranges are refused, and the connection goes on.
  Fill(3);
  const auto status = store_->GetFolder(account_, "INBOX");
  ASSERT_TRUE(status);
  Client c = LoggedIn();
  c("ENABLE QRESYNC");
  const auto select = [&](int ranges) {
    std::string command = "SELECT INBOX (QRESYNC (" + std::to_string(status->uid_validity.value) + " 1 1";
    for (int i = 1; i < ranges; ++i) command += "," + std::to_string(2 * i + 1);
    return c(command + "))");
  };
  EXPECT_THAT(select(10'000), AllOf(HasSubstr("* 3 FETCH (UID 3 FLAGS "), Not(HasSubstr("(UID 2 ")),
                                    Not(HasSubstr("VANISHED")), HasSubstr("\na OK [READ-WRITE]")));
  EXPECT_THAT(select(1'000'000), StartsWith("a BAD "));
  EXPECT_THAT(c("UID FETCH 1 UID"), StartsWith("* 1 FETCH (UID 1)")) << "INBOX is still selected";
}

TEST_F(SessionTest, AppendIsFetchedBackOctetForOctet) {
  Client c = Selected();
  const std::string message = "From: a@example.com\r\nSubject: hi\r\n\r\nHello\r\n";
  EXPECT_THAT(c.Append("INBOX (\\Flagged $Blue)", message), HasSubstr("a OK [APPENDUID "));
  EXPECT_EQ(c("UID FETCH 1 (FLAGS RFC822.SIZE)"),
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Blue $Forwarded $MDNSent "
            "\\read-report-sent)\n"
            "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Blue $Forwarded $MDNSent "
            "\\read-report-sent \\*)] Flags\n"
            "* 1 FETCH (UID 1 FLAGS (\\Flagged $Blue \\Recent) RFC822.SIZE 43)\n"
            "a OK FETCH completed\n");
  c.Send("a FETCH 1 BODY[]\r\n");
  EXPECT_EQ(c.Line(), "* 1 FETCH (BODY[] {43}");
  EXPECT_EQ(c.Octets(43), message);
  EXPECT_EQ(c.Line(), " FLAGS (\\Flagged \\Seen $Blue \\Recent))");
  EXPECT_EQ(c.Line(), "a OK FETCH completed");
}

TEST_F(SessionTest, AppendToAMissingFolderIsRefusedBeforeTheLiteral) {
  Client c = LoggedIn();
  EXPECT_THAT(c("APPEND Nowhere {10}"), StartsWith("a NO [TRYCREATE]"));
  EXPECT_EQ(c("NOOP"), "a OK NOOP completed\n");
  EXPECT_THAT(c.Append("Nowhere", "Subject: x\r\n\r\n"), StartsWith("a NO [TRYCREATE]"));
  EXPECT_EQ(c("NOOP"), "a OK NOOP completed\n");
}

TEST_F(SessionTest, LongMessageStreamsInAndOut) {
  Client c = Selected();
  std::string message = "Subject: long\r\n\r\n";
  while (message.size() < 3'000'000) message += "line " + std::to_string(message.size()) + "\r\n";
  EXPECT_THAT(c.Append("INBOX", message), HasSubstr("a OK [APPENDUID "));
  c.Send("a FETCH 1 (BODY.PEEK[] UID)\r\n");
  EXPECT_EQ(c.Line(), "* 1 FETCH (UID 1 BODY[] {" + std::to_string(message.size()) + "}");
  EXPECT_TRUE(c.Octets(message.size()) == message);
  EXPECT_EQ(c.Line(), ")");
  EXPECT_EQ(c.Line(), "a OK FETCH completed");
}

TEST_F(SessionTest, MultiappendIsOneCommand) {
  Client c = LoggedIn();
  c.Send("a APPEND INBOX (\\Seen) {13+}\r\nSubject: 1\r\n\r {13+}\r\nSubject: 2\r\n\r\r\n");
  EXPECT_THAT(c.Answer(), HasSubstr(" 1:2] APPEND completed"));
}

TEST_F(SessionTest, StoreTellsItsResultAndOthersHearAtTheirNextCommand) {
  Fill(3);
  Client a = Selected();
  Client b = Selected();
  EXPECT_EQ(a("STORE 2 +FLAGS (\\Seen)"), "* 2 FETCH (FLAGS (\\Seen \\Recent))\na OK STORE completed\n");
  EXPECT_EQ(a("STORE 2 +FLAGS.SILENT (\\Answered)"), "a OK STORE completed\n");
  EXPECT_EQ(b("NOOP"), "* 2 FETCH (FLAGS (\\Answered \\Seen))\na OK NOOP completed\n");
  EXPECT_EQ(b("UID STORE 2 FLAGS (x)"),
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $MDNSent "
            "x \\read-report-sent)\n"
            "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $MDNSent "
            "x \\read-report-sent \\*)] Flags\n"
            "* 2 FETCH (UID 2 FLAGS (x))\na OK STORE completed\n");
}

TEST_F(SessionTest, ExpungeWaitsUntilItMayBeTold) {
  Fill(3);
  Client a = Selected();
  Client b = Selected();
  EXPECT_EQ(a("STORE 2 +FLAGS.SILENT (\\Deleted)"), "a OK STORE completed\n");
  EXPECT_EQ(a("EXPUNGE"), "* 2 EXPUNGE\n* 2 RECENT\na OK EXPUNGE completed\n");
  EXPECT_EQ(b("FETCH 3 UID"), "* 3 FETCH (UID 3)\na OK FETCH completed\n");
  EXPECT_EQ(b("FETCH 2:3 FLAGS"),
            "* 3 FETCH (FLAGS ())\na NO [EXPUNGEISSUED] Some of the messages no longer exist\n");
  EXPECT_EQ(b("NOOP"), "* 2 EXPUNGE\na OK NOOP completed\n");
  EXPECT_EQ(b("FETCH 2 UID"), "* 2 FETCH (UID 3)\na OK FETCH completed\n");
}

TEST_F(SessionTest, MoveTellsCopyUidBeforeExpunge) {
  Fill(3);
  Client c = Selected();
  EXPECT_THAT(c("MOVE 1,3 Trash"),
              testing::MatchesRegex("\\* OK \\[COPYUID [0-9]+ 1,3 1:2\\] Moved\n"
                                    "\\* 1 EXPUNGE\n\\* 2 EXPUNGE\n(\\* 1 RECENT\n)?a OK MOVE completed\n"));
  EXPECT_THAT(c("COPY 1 Trash"), testing::MatchesRegex("a OK \\[COPYUID [0-9]+ 2 3\\] COPY completed\n"));
  EXPECT_THAT(c("COPY 1 Nowhere"), StartsWith("a NO [TRYCREATE]"));
}

TEST_F(SessionTest, IdleHearsOfOthersAtOnce) {
  Client idler = Selected();
  Client other = LoggedIn();
  idler.Send("i IDLE\r\n");
  EXPECT_EQ(idler.Line(), "+ idling");
  EXPECT_THAT(other.Append("INBOX", "Subject: x\r\n\r\n"), StartsWith("a OK"));
  EXPECT_EQ(idler.Line(), "* 1 EXISTS");
  EXPECT_EQ(idler.Line(), "* 1 RECENT");
  EXPECT_THAT(other.Append("INBOX", "Subject: x\r\n\r\n"), StartsWith("a OK"));
  EXPECT_EQ(idler.Line(), "* 2 EXISTS");
  EXPECT_EQ(idler.Line(), "* 2 RECENT");
  idler.Send("DONE\r\n");
  EXPECT_EQ(idler.Line(), "i OK IDLE completed");
}

TEST_F(SessionTest, ListKnowsHierarchyAndSpecialUse) {
  Client c = LoggedIn();
  EXPECT_EQ(c("LIST \"\" \"\""), "* LIST (\\Noselect) \"/\" \"\"\na OK LIST completed\n");
  EXPECT_THAT(c("CREATE a/b"), StartsWith("a OK [MAILBOXID (F"));
  const std::string all = c("LIST \"\" *");
  EXPECT_THAT(all, HasSubstr("* LIST (\\HasNoChildren) \"/\" INBOX\n"));
  EXPECT_THAT(all, HasSubstr("* LIST (\\HasNoChildren \\Sent) \"/\" Sent\n"));
  EXPECT_THAT(all, HasSubstr("* LIST (\\HasChildren) \"/\" a\n"));
  EXPECT_THAT(all, HasSubstr("* LIST (\\HasNoChildren) \"/\" a/b\n"));
  EXPECT_THAT(c("LIST \"\" %"), Not(HasSubstr("a/b")));
  EXPECT_EQ(c("SUBSCRIBE a/b"), "a OK SUBSCRIBE completed\n");
  EXPECT_EQ(
      c("LSUB \"\" %"),
      "* LSUB () \"/\" Sent\n* LSUB () \"/\" Trash\n* LSUB (\\Noselect) \"/\" a\na OK LSUB completed\n");
  EXPECT_EQ(c("LSUB \"\" a/*"), "* LSUB () \"/\" a/b\na OK LSUB completed\n");
}

TEST_F(SessionTest, StatusKeepsTheOrderOfItsItems) {
  Fill(2);
  Client c = LoggedIn();
  EXPECT_THAT(c("STATUS INBOX (UNSEEN MESSAGES UIDNEXT)"),
              StartsWith("* STATUS INBOX (UNSEEN 2 MESSAGES 2 UIDNEXT 3)\n"));
}

TEST_F(SessionTest, SearchFindsByFlagDateAndText) {
  Fill(3);
  Client c = Selected();
  c("STORE 2 +FLAGS.SILENT (\\Seen)");
  EXPECT_EQ(c("SEARCH UNSEEN"), "* SEARCH 1 3\na OK SEARCH completed\n");
  EXPECT_EQ(c("SEARCH SUBJECT \"NUMBER 2\""), "* SEARCH 2\na OK SEARCH completed\n");
  EXPECT_EQ(c("SEARCH BODY \"text 3\""), "* SEARCH 3\na OK SEARCH completed\n");
  EXPECT_EQ(c("SEARCH NOT BODY \"text 3\" NOT SEEN"), "* SEARCH 1\na OK SEARCH completed\n");
  EXPECT_EQ(c("SEARCH SINCE 17-Nov-2023"), "* SEARCH 3\na OK SEARCH completed\n");
  EXPECT_EQ(c("UID SEARCH RETURN (MIN MAX COUNT) ALL"),
            "* ESEARCH (TAG \"a\") UID MIN 1 MAX 3 COUNT 3\na OK SEARCH completed\n");
  EXPECT_EQ(c("SEARCH RETURN (SAVE) SEEN"), "a OK SEARCH completed\n");
  EXPECT_EQ(c("FETCH $ UID"), "* 2 FETCH (UID 2)\na OK FETCH completed\n");
  EXPECT_THAT(c("SEARCH CHARSET KLINGON ALL"), StartsWith("a NO [BADCHARSET ("));
}

TEST_F(SessionTest, PipelinedCommandsAreAnsweredInOrder) {
  Fill(1);
  Client c = Selected();
  c.Send("b NOOP\r\nc FETCH 1 UID\r\nd NOOP\r\n");
  EXPECT_EQ(c.Line(), "b OK NOOP completed");
  EXPECT_EQ(c.Line(), "* 1 FETCH (UID 1)");
  EXPECT_EQ(c.Line(), "c OK FETCH completed");
  EXPECT_EQ(c.Line(), "d OK NOOP completed");
}

TEST_F(SessionTest, TooManyBadCommandsEndTheConnection) {
  Client c = Connect();
  c.Line();
  for (std::size_t i = 1; i < options_.bad_commands_before_login; ++i)
    EXPECT_THAT(c("NONSENSE"), StartsWith("a BAD"));
  EXPECT_THAT(c("NONSENSE"), StartsWith("a BAD"));
  EXPECT_EQ(c.Line(), "* BYE Too many bad commands");
  EXPECT_EQ(c.Line(), "(closed)");
}

TEST_F(SessionTest, StrangersHaveAShareOfCommands) {
  Client c = Connect();
  c.Line();
  for (std::size_t i = 0; i < protocol::limits::kCommandsBeforeLogin; ++i)
    EXPECT_EQ(c("NOOP"), "a OK NOOP completed\n");
  c.Send("a NOOP\r\n");
  EXPECT_EQ(c.Line(), "* BYE Too many commands or octets without a login");
  EXPECT_EQ(c.Line(), "(closed)");
}

TEST_F(SessionTest, StrangersHaveAShareOfOctets) {
  Client c = Connect();
  c.Line();
  std::string id = "ID (\"0\" NIL";
  for (int i = 1; i < 7; ++i) id += fmt::format(" \"{}\" \"{}\"", i, std::string(1000, 'x'));
  id += ")";
  std::size_t commands = 0;
  while (c(id).ends_with("a OK ID completed\n")) ++commands;
  EXPECT_LT(commands, protocol::limits::kCommandsBeforeLogin);
  EXPECT_GE((commands + 1) * id.size(), protocol::limits::kOctetsBeforeLogin - id.size());
  EXPECT_EQ(c.Line(), "(closed)");
}

TEST_F(SessionTest, WhoLogsOutHasTheShareOfAStrangerAgain) {
  Client c = LoggedIn();
  for (std::size_t i = 0; i < 2 * protocol::limits::kCommandsBeforeLogin; ++i)
    EXPECT_EQ(c("NOOP"), "a OK NOOP completed\n");
  EXPECT_THAT(c("UNAUTHENTICATE"), HasSubstr("a OK"));
  for (std::size_t i = 0; i < protocol::limits::kCommandsBeforeLogin; ++i)
    EXPECT_EQ(c("NOOP"), "a OK NOOP completed\n");
  c.Send("a NOOP\r\n");
  EXPECT_EQ(c.Line(), "* BYE Too many commands or octets without a login");
}

TEST_F(SessionTest, SilentClientsAreDroppedByTheClock) {
  Client stranger = Connect();
  stranger.Line();
  Client user = LoggedIn();
  EXPECT_EQ(user("NOOP"), "a OK NOOP completed\n");
  clock_.Advance(options_.login_limit + std::chrono::seconds(1));
  reactor_.Sweep();
  EXPECT_THAT(stranger.Line(), StartsWith("* BYE"));
  EXPECT_EQ(user("NOOP"), "a OK NOOP completed\n");
  user.Send("a NOO");
  EXPECT_EQ(stranger.Line(), "(closed)");  // the loop has run: the server has seen the fragment
  clock_.Advance(options_.idle_limit + std::chrono::seconds(1));
  reactor_.Sweep();
  EXPECT_THAT(user.Line(), StartsWith("* BYE"));
}

TEST_F(SessionTest, ShutdownSaysByeToEveryone) {
  Client c = Selected();
  Client idler = Selected();
  idler.Send("i IDLE\r\n");
  EXPECT_EQ(idler.Line(), "+ idling");
  reactor_.Shutdown();
  EXPECT_THAT(c.Line(), StartsWith("* BYE"));
  EXPECT_EQ(c.Line(), "(closed)");
  EXPECT_THAT(idler.Line(), StartsWith("* BYE"));
}

TEST_F(SessionTest, FetchGivesPartsPartialsAndHeaderFields) {
  Client c = Selected();
  const std::string message =
      "From: a@example.com\r\nSubject: parts\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
      "--x\r\nContent-Type: text/plain\r\n\r\nfirst part\r\n"
      "--x\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\nAGEA\r\n--x--\r\n";
  EXPECT_THAT(c.Append("INBOX", message), HasSubstr("a OK [APPENDUID "));
  EXPECT_EQ(c("FETCH 1 BODY.PEEK[1]"), "* 1 FETCH (BODY[1] {10}\nfirst part)\na OK FETCH completed\n");
  EXPECT_EQ(c("FETCH 1 BODY.PEEK[1]<6.10>"), "* 1 FETCH (BODY[1]<6> {4}\npart)\na OK FETCH completed\n");
  EXPECT_EQ(c("FETCH 1 BODY.PEEK[1]<60.10>"), "* 1 FETCH (BODY[1]<60> {0}\n)\na OK FETCH completed\n");
  EXPECT_EQ(c("FETCH 1 (BODY.PEEK[HEADER.FIELDS (subject)])"),
            "* 1 FETCH (BODY[HEADER.FIELDS (subject)] {18}\nSubject: parts\n\n)\na OK FETCH completed\n");
  EXPECT_EQ(c("FETCH 1 BODY.PEEK[7]"), "* 1 FETCH (BODY[7] NIL)\na OK FETCH completed\n");
  EXPECT_EQ(c("FETCH 1 BODY.PEEK[2.MIME]<0.12>"),
            "* 1 FETCH (BODY[2.MIME]<0> {12}\nContent-Type)\na OK FETCH completed\n");
  EXPECT_EQ(c("FETCH 1 BINARY.SIZE[2]"), "* 1 FETCH (BINARY.SIZE[2] 3)\na OK FETCH completed\n");
  c.Send("a FETCH 1 BINARY.PEEK[2]\r\n");
  EXPECT_EQ(c.Line(), "* 1 FETCH (BINARY[2] ~{3}");
  EXPECT_EQ(c.Octets(3), std::string("\0a\0", 3));
  EXPECT_EQ(c.Answer(), ")\na OK FETCH completed\n");
  EXPECT_EQ(c("FETCH 1 FLAGS"), "* 1 FETCH (FLAGS (\\Recent))\na OK FETCH completed\n")
      << "nothing marked it";
  EXPECT_EQ(c("FETCH 1 BINARY[1]"),
            "* 1 FETCH (BINARY[1] {10}\nfirst part FLAGS (\\Seen \\Recent))\na OK FETCH completed\n");
  EXPECT_THAT(c("FETCH 1 (ENVELOPE BODY BODYSTRUCTURE INTERNALDATE EMAILID THREADID SAVEDATE)"),
              testing::AllOf(StartsWith("* 1 FETCH (ENVELOPE (NIL \"parts\" "), HasSubstr(" EMAILID (M"),
                             HasSubstr(" THREADID NIL"), HasSubstr(" SAVEDATE \"")));
}

// RFC 8970 §4.1: NIL only where the client said that it can wait.
TEST_F(SessionTest, APreviewOfALongMessageComesWithoutLazyOnly) {
  Client c = Selected();
  EXPECT_THAT(c.Append("INBOX", "Subject: long\r\n\r\nlong" + std::string(100'000, ' ') + "ago\r\n"),
              HasSubstr("a OK"));
  EXPECT_THAT(c.Append("INBOX", "Subject: short\r\n\r\nnow\r\n"), HasSubstr("a OK"));
  EXPECT_EQ(c("FETCH 1:2 (PREVIEW (LAZY))"),
            "* 1 FETCH (PREVIEW NIL)\n* 2 FETCH (PREVIEW \"now\")\na OK FETCH completed\n");
  EXPECT_EQ(c("FETCH 1:2 (PREVIEW)"),
            "* 1 FETCH (PREVIEW \"long\")\n* 2 FETCH (PREVIEW \"now\")\na OK FETCH completed\n");
  EXPECT_EQ(c("FETCH 1:2 (FLAGS)"),
            "* 1 FETCH (FLAGS (\\Recent))\n* 2 FETCH (FLAGS (\\Recent))\na OK FETCH completed\n")
      << "it is no reading of the message";
}

TEST_F(SessionTest, NulComesInByLiteral8AndOutByBinary) {
  Client c = Selected();
  const std::string message("Subject: nul\r\n\r\na\0b\r\n", 21);
  EXPECT_THAT(c.Append("INBOX", message), StartsWith("a BAD NUL in a literal"));
  c.Send("a APPEND INBOX ~{21+}\r\n" + message + "\r\n");
  EXPECT_THAT(c.Answer(), HasSubstr("a OK [APPENDUID "));
  c.Send("a FETCH 1 (BODY.PEEK[TEXT] BINARY.PEEK[])\r\n");
  EXPECT_EQ(c.Line(), "* 1 FETCH (BODY[TEXT] {10}");
  EXPECT_EQ(c.Octets(10), "YQBiDQo=\r\n");
  EXPECT_EQ(c.Line(), " BINARY[] ~{21}");
  EXPECT_EQ(c.Octets(21), message);
  EXPECT_EQ(c.Answer(), ")\na OK FETCH completed\n");
}

TEST_F(SessionTest, ReadOnlyFoldersStayAsTheyAre) {
  Fill(2);
  Client c = LoggedIn();
  EXPECT_THAT(c("EXAMINE INBOX"), HasSubstr("* OK [PERMANENTFLAGS ()]"));
  EXPECT_EQ(c("STORE 1 +FLAGS (\\Deleted)"),
            "a NO [CANNOT] The mailbox was opened with EXAMINE, which is read-only\n");
  EXPECT_EQ(c("EXPUNGE"), "a NO [CANNOT] The mailbox was opened with EXAMINE, which is read-only\n");
  EXPECT_EQ(c("MOVE 1 Trash"), "a NO [CANNOT] The mailbox was opened with EXAMINE, which is read-only\n");
  EXPECT_EQ(c("FETCH 1 BODY[TEXT]"), "* 1 FETCH (BODY[TEXT] {8}\nText 1\n)\na OK FETCH completed\n");
  EXPECT_EQ(c("FETCH 1 FLAGS"), "* 1 FETCH (FLAGS (\\Recent))\na OK FETCH completed\n");
}

TEST_F(SessionTest, RecentIsForOneSession) {
  Fill(2);
  Client a = LoggedIn();
  EXPECT_THAT(a("EXAMINE INBOX"), HasSubstr("* 2 RECENT\n"));
  EXPECT_THAT(a("SELECT INBOX"), HasSubstr("* 2 RECENT\n"));
  Client b = LoggedIn();
  EXPECT_THAT(b("SELECT INBOX"), HasSubstr("* 0 RECENT\n"));
  Fill(1);
  EXPECT_THAT(a("NOOP"), HasSubstr("* 3 RECENT\n"));
  EXPECT_EQ(a("UNSELECT"), "a OK UNSELECT completed\n");
  EXPECT_THAT(a("SELECT INBOX"), HasSubstr("* 0 RECENT\n")) << "it was recent before it was left";
}

TEST_F(SessionTest, CloseExpungesSilently) {
  Fill(3);
  Client c = Selected();
  c("STORE 1,3 +FLAGS.SILENT (\\Deleted)");
  EXPECT_EQ(c("CLOSE"), "a OK CLOSE completed\n");
  EXPECT_THAT(c("SELECT INBOX"), HasSubstr("* 1 EXISTS\n"));
}

TEST_F(SessionTest, UidExpungeTakesOnlyWhatItNames) {
  Fill(3);
  Client c = Selected();
  c("STORE 1:3 +FLAGS.SILENT (\\Deleted)");
  EXPECT_THAT(c("UID EXPUNGE 2"), StartsWith("* 2 EXPUNGE\n"));
  EXPECT_EQ(c("SEARCH DELETED"), "* SEARCH 1 2\na OK SEARCH completed\n");
}

TEST_F(SessionTest, EmptyFolderTakesTheUsualSets) {
  Client c = Selected();
  EXPECT_EQ(c("FETCH 1:* FLAGS"), "a OK FETCH completed\n");
  EXPECT_EQ(c("UID FETCH 1:* FLAGS"), "a OK FETCH completed\n");
  EXPECT_THAT(c("FETCH 1 FLAGS"), StartsWith("a BAD There is no message 1"));
  EXPECT_EQ(c("SEARCH ALL"), "* SEARCH\na OK SEARCH completed\n");
}

TEST_F(SessionTest, DeletedFolderIsEmptyToWhoHasItSelected) {
  Fill(2, "Sent");
  Client a = Selected("Sent");
  Client b = LoggedIn();
  EXPECT_EQ(b("DELETE Sent"), "a OK DELETE completed\n");
  EXPECT_THAT(a("NOOP"), StartsWith("* 1 EXPUNGE\n* 1 EXPUNGE\n"));
  EXPECT_EQ(a("UID FETCH 1:* FLAGS"), "a NO [NONEXISTENT] No such mailbox\n");
  EXPECT_EQ(a("CLOSE"), "a OK CLOSE completed\n");
}

TEST_F(SessionTest, ManyChangesAreReadFromTheStore) {
  Fill(5);
  Client a = Selected();
  Client b = Selected();
  for (int i = 0; i < 400; ++i)
    b(i % 2 == 0 ? "STORE 2 +FLAGS.SILENT (\\Flagged)" : "STORE 2 -FLAGS.SILENT (\\Flagged)");
  b("STORE 4 +FLAGS.SILENT (\\Deleted)");
  b("EXPUNGE");
  EXPECT_THAT(a("NOOP"),
              testing::AllOf(StartsWith("* 4 EXPUNGE\n"), HasSubstr("* 2 FETCH (FLAGS (\\Recent))\n")));
}

TEST_F(SessionTest, CreateRefusesNamesThatCannotBe) {
  Client c = LoggedIn();
  EXPECT_THAT(c("CREATE \"\""), StartsWith("a NO [CANNOT]"));
  EXPECT_THAT(c("CREATE a//b"), StartsWith("a NO [CANNOT]"));
  EXPECT_THAT(c("CREATE inbox"), StartsWith("a NO [ALREADYEXISTS]"));
  EXPECT_THAT(c("CREATE Big (USE (\\All))"), StartsWith("a NO [USEATTR]"));
  EXPECT_THAT(c("CREATE Old (USE (\\Archive))"), StartsWith("a OK [MAILBOXID"));
  EXPECT_THAT(c("LIST \"\" Old"), HasSubstr("(\\HasNoChildren \\Archive)"));
}

TEST_F(SessionTest, SimpleCommandsAnswer) {
  Client c = LoggedIn();
  EXPECT_EQ(c("NAMESPACE"),
            "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) NIL\na OK NAMESPACE completed\n");
  EXPECT_THAT(c("ID NIL"), StartsWith("* ID (\"name\" \"CPM Message Store\""));
  EXPECT_THAT(c("ENABLE X-UNKNOWN"), EndsWith("a OK ENABLE completed\n"));
  EXPECT_THAT(c("CAPABILITY"), StartsWith("* CAPABILITY IMAP4rev1 "));
}

/// The profile `strict` (spec note 2.1).
class StrictTest : public ImapTest {
 protected:
  StrictTest() : ImapTest({.profile = {.default_folder = "", .strict = true}}) {}
};

TEST_F(StrictTest, WhatIsMalformedIsRefusedWithTheFaultAndTheNextCommandWorks) {
  Client client = Selected();
  EXPECT_EQ(client.Append("INBOX", "Content-Type: message/imdn+xml\r\n\r\n<!DOCTYPE imdn><imdn/>\r\n"),
            "a NO [CANNOT] The object is malformed: the XML has a document type declaration\n");
  EXPECT_THAT(client.Append("INBOX", "Subject: a\r\n\r\nx\r\n"), HasSubstr("a OK [APPENDUID "));
}

}  // namespace
}  // namespace server::imap
