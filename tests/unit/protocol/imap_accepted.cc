#include "tests/unit/protocol/imap_fixtures.h"

namespace protocol::testing {
namespace {

using namespace std::string_literals;
using Op = SearchKey::Op;
using Kind = FetchItem::Kind;
constexpr auto kUid = NumberKind::kUid;
constexpr auto kStar = SequenceRange::kLargest;

SequenceSet Set(std::vector<SequenceRange> ranges) { return {.ranges = std::move(ranges)}; }
SequenceSet One(std::uint32_t n) { return Set({{n, n}}); }
const SequenceSet kSaved{.ranges = {}, .saved_result = true};

FlagSet Flags(std::vector<std::string_view> names) {
  FlagSet flags;
  for (const auto name : names) flags.Insert(name);
  return flags;
}

SearchKey And(std::vector<SearchKey> children) { return {.op = Op::kAnd, .children = std::move(children)}; }
SearchKey Key(Op op) { return {.op = op}; }
SearchKey TextKey(Op op, std::string text) { return {.op = op, .text = std::move(text)}; }
SearchKey Numbers(Op op, SequenceSet set) { return {.op = op, .set = std::move(set)}; }
SearchKey NumberKey(Op op, std::uint64_t number) { return {.op = op, .number = number}; }
SearchKey DayKey(Op op, std::int32_t days) { return {.op = op, .day = {days}}; }
command::Search Find(std::vector<SearchKey> keys) { return {.key = And(std::move(keys))}; }

FetchItem Body(Section section, bool peek = false, std::optional<Partial> partial = {}) {
  return {.kind = Kind::kSection, .peek = peek, .section = std::move(section), .partial = partial};
}
FetchItem Item(Kind kind) { return {.kind = kind}; }

std::vector<Accepted> SimpleCommands() {
  return {
      {"Capability", "a CAPABILITY\r\n", command::Capability{}},
      {"Noop", "a1 noop\r\n", command::Noop{}},
      {"BareLineFeed", "a1 NOOP\n", command::Noop{}},
      {"Logout", "a LOGOUT\r\n", command::Logout{}},
      {"StartTls", "a STARTTLS\r\n", command::StartTls{}},
      {"Compress", "a compress DEFLATE\r\n", command::Compress{}},
      {"Namespace", "a NAMESPACE\r\n", command::Namespace{}},
      {"Idle", "a Idle\r\n", command::Idle{}},
      {"Check", "a CHECK\r\n", command::Check{}},
      {"Close", "a CLOSE\r\n", command::Close{}},
      {"Unselect", "a UNSELECT\r\n", command::Unselect{}},
      {"Expunge", "a EXPUNGE\r\n", command::Expunge{}},
      {"UidExpunge", "a UID EXPUNGE 3:5,9\r\n", command::Expunge{Set({{3, 5}, {9, 9}})}},
      {"OddTag", "]a.1-_/: NOOP\r\n", command::Noop{}},
      {"IdNil", "a ID NIL\r\n", command::Id{}},
      {"IdEmpty", "a ID ()\r\n", command::Id{}},
      {"IdFields", "a ID (\"name\" \"x\\\"y\" \"os\" NIL)\r\n", command::Id{{{"name", "x\"y"}, {"os", {}}}}},
      {"Enable", "a ENABLE utf8=accept CONDSTORE\r\n", command::Enable{{"UTF8=ACCEPT", "CONDSTORE"}}},
      {"Authenticate", "a AUTHENTICATE plain\r\n", command::Authenticate{"PLAIN", {}}},
      {"InitialResponse", "a AUTHENTICATE PLAIN AHUAcA==\r\n",
       command::Authenticate{"PLAIN", std::string("\0u\0p", 4)}},
      {"EmptyInitialResponse", "a AUTHENTICATE EXTERNAL =\r\n", command::Authenticate{"EXTERNAL", ""}},
      {"Login", "a LOGIN joe secret\r\n", command::Login{"joe", "secret"}},
      {"LoginQuoted", "a LOGIN \"tel:+1555\" \"a\\\\b \\\"c{3}\"\r\n",
       command::Login{"tel:+1555", "a\\b \"c{3}"}},
      {"LoginLiterals", "a LOGIN {3}\r\njoe {7}\r\np\r\n w\xc3\xa9\r\n",
       command::Login{"joe", "p\r\n w\xc3\xa9"}},
      {"LoginNonSync", "a LOGIN {3+}\r\njoe {0+}\r\n\r\n", command::Login{"joe", ""}},
      {"EmptyPassword", "a LOGIN joe \"\"\r\n", command::Login{"joe", ""}},
  };
}

std::vector<Accepted> MailboxCommands() {
  return {
      {"Select", "a SELECT inbox\r\n", command::Select{"INBOX"}},
      {"SelectNested", "a SELECT InBox/Sub\r\n", command::Select{"INBOX/Sub"}},
      {"SelectUtf7", "a SELECT \"Entw&APw-rfe &- mehr\"\r\n", command::Select{"Entw\xc3\xbcrfe & mehr"}},
      {"SelectLiteral", "a SELECT {4+}\r\na]b \r\n", command::Select{"a]b "}},
      {"SelectBracket", "a SELECT a]b\r\n", command::Select{"a]b"}},
      {"Examine", "a EXAMINE x\r\n", command::Examine{"x"}},
      {"SelectCondstore", "a SELECT x (condstore)\r\n", command::Select{"x", {.condstore = true}}},
      {"SelectQresync", "a SELECT x (QRESYNC (67890007 9223372036854775807))\r\n",
       command::Select{"x", {.qresync = command::Qresync{{67890007}, kMaxModSeq}}}},
      {"SelectQresyncKnown", "a SELECT x (QRESYNC (1 2 41,43:211,541:214) CONDSTORE)\r\n",
       command::Select{"x", {true, command::Qresync{{1}, {2}, Set({{41, 41}, {43, 211}, {541, 214}})}}}},
      {"ExamineQresyncMatch", "a EXAMINE x (CONDSTORE QRESYNC (1 2 1:9 (5,7:8 50,70,80)))\r\n",
       command::Examine{
           "x",
           {true,
            command::Qresync{
                {1}, {2}, Set({{1, 9}}), {{Set({{5, 5}, {7, 8}}), Set({{50, 50}, {70, 70}, {80, 80}})}}}}}},
      {"SelectQresyncMatchOnly", "a SELECT x (QRESYNC (1 2 (1:3 4:6)))\r\n",
       command::Select{"x", {.qresync = command::Qresync{{1}, {2}, {}, {{Set({{1, 3}}), Set({{4, 6}})}}}}}},
      {"Create", "a CREATE a/b/\r\n", command::Create{"a/b/", {}}},
      {"CreateUse", "a CREATE S (USE (\\Sent \\Junk))\r\n", command::Create{"S", {"\\Sent", "\\Junk"}}},
      {"CreateUseNone", "a CREATE S (use ())\r\n", command::Create{"S", {}}},
      {"Delete", "a DELETE x\r\n", command::Delete{"x"}},
      {"Rename", "a RENAME inbox \"b c\"\r\n", command::Rename{"INBOX", "b c"}},
      {"Subscribe", "a SUBSCRIBE x\r\n", command::Subscribe{"x"}},
      {"Unsubscribe", "a UNSUBSCRIBE x\r\n", command::Unsubscribe{"x"}},
      {"ListRoot", "a LIST \"\" \"\"\r\n", command::List{"", {""}}},
      {"ListAll", "a LIST \"\" *\r\n", command::List{"", {"*"}}},
      {"ListWildcards", "a LIST ~/Mail/ %/&APw-*]\r\n", command::List{"~/Mail/", {"%/\xc3\xbc*]"}}},
      {"ListSelection", "a LIST (subscribed REMOTE RECURSIVEMATCH SPECIAL-USE) \"\" *\r\n",
       command::List{.patterns = {"*"}, .extended = true, .select = {true, true, true, true}}},
      {"ListNoSelection", "a LIST () \"\" %\r\n", command::List{.patterns = {"%"}, .extended = true}},
      {"ListTwice", "a LIST (REMOTE remote) \"\" %\r\n",
       command::List{.patterns = {"%"}, .extended = true, .select = {.remote = true}}},
      {"ListPatterns", "a LIST \"\" (\"INBOX\" Drafts {6}\r\nSent/% \"\")\r\n",
       command::List{.patterns = {"INBOX", "Drafts", "Sent/%", ""}, .extended = true}},
      {"ListOnePattern", "a LIST \"\" (*)\r\n", command::List{.patterns = {"*"}, .extended = true}},
      {"ListReturn", "a LIST \"\" * RETURN (CHILDREN subscribed SPECIAL-USE)\r\n",
       command::List{.patterns = {"*"}, .extended = true, .returns = {true, true, true, {}}}},
      {"ListReturnNothing", "a LIST \"\" * return ()\n", command::List{.patterns = {"*"}, .extended = true}},
      {"ListStatus", "a LIST \"\" Default/* RETURN (STATUS (MESSAGES UIDNEXT) CHILDREN)\n",
       command::List{.patterns = {"Default/*"},
                     .extended = true,
                     .returns = {.children = true, .status = {StatusItem::kMessages, StatusItem::kUidNext}}}},
      {"ListEverything", "a LIST (SUBSCRIBED) {2}\r\na/ ({1+}\r\n% b) RETURN (STATUS (SIZE))\r\n",
       command::List{.reference = "a/",
                     .patterns = {"%", "b"},
                     .extended = true,
                     .select = {.subscribed = true},
                     .returns = {.status = {StatusItem::kSize}}}},
      {"ListMetadata", "a LIST \"\" % RETURN (METADATA (/shared/comment \"/private/comment\") CHILDREN)\r\n",
       command::List{.patterns = {"%"},
                     .extended = true,
                     .returns = {.children = true, .metadata = {"/shared/comment", "/private/comment"}}}},
      {"Lsub", "a LSUB \"#news.\" \"comp.*\"\r\n", command::Lsub{"#news.", "comp.*"}},
      {"Status", "a STATUS INBOX (UIDNEXT messages)\r\n",
       command::Status{"INBOX", {StatusItem::kUidNext, StatusItem::kMessages}}},
      {"StatusAll", "a STATUS b (RECENT UIDVALIDITY UNSEEN SIZE APPENDLIMIT MAILBOXID HIGHESTMODSEQ)\r\n",
       command::Status{"b",
                       {StatusItem::kRecent, StatusItem::kUidValidity, StatusItem::kUnseen, StatusItem::kSize,
                        StatusItem::kAppendLimit, StatusItem::kMailboxId, StatusItem::kHighestModSeq}}},
  };
}

std::vector<Accepted> MessageCommands() {
  const auto add = FlagChange::Op::kAdd;
  const auto remove = FlagChange::Op::kRemove;
  return {
      {"Store", "a STORE 2:4 +FLAGS (\\Deleted)\r\n",
       command::Store{.set = Set({{2, 4}}), .change = {add, Flags({"\\Deleted"})}}},
      {"StoreSilent", "a UID STORE * -flags.silent \\seen $MDNSent\r\n",
       command::Store{kUid, One(kStar), {remove, Flags({"\\Seen", "$MDNSent"})}, true}},
      {"StoreUnchangedSince", "a STORE 1 (UNCHANGEDSINCE 320162338) +FLAGS (\\Deleted)\r\n",
       command::Store{
           .set = One(1), .change = {add, Flags({"\\Deleted"})}, .unchanged_since = ModSeq{320162338}}},
      {"StoreUnchangedSinceZero", "a UID STORE 1 (unchangedsince 0) -FLAGS.SILENT x\r\n",
       command::Store{kUid, One(1), {remove, Flags({"x"})}, true, ModSeq{0}}},
      {"StoreNothing", "a STORE 1 FLAGS ()\r\n", command::Store{.set = One(1)}},
      {"StoreBackslashKeyword", "a STORE $ +FLAGS (\\read-report-sent)\r\n",
       command::Store{.set = kSaved, .change = {add, Flags({"\\read-report-sent"})}}},
      {"Copy", "a COPY 2:4,*:1,4294967295 inbox\r\n",
       command::Copy{.set = Set({{2, 4}, {kStar, 1}, {4294967295U, 4294967295U}}), .mailbox = "INBOX"}},
      {"UidCopy", "a UID COPY 1 {1}\r\nx\r\n", command::Copy{kUid, One(1), "x"}},
      {"Move", "a MOVE 1 x\r\n", command::Move{.set = One(1), .mailbox = "x"}},
      {"UidMove", "a UID MOVE $ x\r\n", command::Move{kUid, kSaved, "x"}},
      {"FetchFlags", "a FETCH 1 FLAGS\r\n", command::Fetch{.set = One(1), .items = {Item(Kind::kFlags)}}},
      {"FetchFast", "a FETCH 1 FAST\r\n",
       command::Fetch{.set = One(1),
                      .items = {Item(Kind::kFlags), Item(Kind::kInternalDate), Item(Kind::kRfc822Size)}}},
      {"FetchAll", "a FETCH 1 all\r\n",
       command::Fetch{.set = One(1),
                      .items = {Item(Kind::kFlags), Item(Kind::kInternalDate), Item(Kind::kRfc822Size),
                                Item(Kind::kEnvelope)}}},
      {"FetchFull", "a FETCH 1 FULL\r\n",
       command::Fetch{.set = One(1),
                      .items = {Item(Kind::kFlags), Item(Kind::kInternalDate), Item(Kind::kRfc822Size),
                                Item(Kind::kEnvelope), Item(Kind::kBody)}}},
      {"FetchChangedSince", "a FETCH 1 FLAGS (CHANGEDSINCE 12345)\r\n",
       command::Fetch{.set = One(1), .items = {Item(Kind::kFlags)}, .changed_since = ModSeq{12345}}},
      {"FetchVanished", "a UID FETCH 1 (FLAGS MODSEQ) (VANISHED changedsince 1)\r\n",
       command::Fetch{kUid, One(1), {Item(Kind::kFlags), Item(Kind::kModSeq)}, ModSeq{1}, true}},
      {"FetchMacroChangedSince", "a FETCH 1 FAST (CHANGEDSINCE 1)\r\n",
       command::Fetch{.set = One(1),
                      .items = {Item(Kind::kFlags), Item(Kind::kInternalDate), Item(Kind::kRfc822Size)},
                      .changed_since = ModSeq{1}}},
      {"FetchEveryName",
       "a UID FETCH 1:* (UID BODY BODYSTRUCTURE RFC822 RFC822.HEADER RFC822.TEXT EMAILID THREADID "
       "SAVEDATE MODSEQ)\r\n",
       command::Fetch{kUid,
                      Set({{1, kStar}}),
                      {Item(Kind::kUid), Item(Kind::kBody), Item(Kind::kBodyStructure), Item(Kind::kRfc822),
                       Item(Kind::kRfc822Header), Item(Kind::kRfc822Text), Item(Kind::kEmailId),
                       Item(Kind::kThreadId), Item(Kind::kSaveDate), Item(Kind::kModSeq)}}},
      {"FetchBody", "a FETCH 1 BODY[]\r\n", command::Fetch{.set = One(1), .items = {Body({})}}},
      {"FetchSections",
       "a FETCH 1 (body.peek[header]<0.10> BODY[TEXT] BODY[1] BODY[1.2.MIME] BODY[2.3.HEADER])\r\n",
       command::Fetch{.set = One(1),
                      .items = {Body({.kind = Section::Kind::kHeader}, true, Partial{0, 10}),
                                Body({.kind = Section::Kind::kText}), Body({.part = {1}}),
                                Body({.part = {1, 2}, .kind = Section::Kind::kMime}),
                                Body({.part = {2, 3}, .kind = Section::Kind::kHeader})}}},
      {"FetchFields",
       "a FETCH 1 (BODY.PEEK[HEADER.FIELDS (From \"To\")] BODY[1.HEADER.FIELDS.NOT ({2}\r\nCC)]<5.7> "
       "UID)\r\n",
       command::Fetch{.set = One(1),
                      .items = {Body({.kind = Section::Kind::kHeaderFields, .fields = {"From", "To"}}, true),
                                Body({.part = {1}, .kind = Section::Kind::kHeaderFieldsNot, .fields = {"CC"}},
                                     false, Partial{5, 7}),
                                Item(Kind::kUid)}}},
      {"FetchBinary", "a FETCH 1 (BINARY[] BINARY.PEEK[1.2]<3.4> BINARY.SIZE[1])\r\n",
       command::Fetch{
           .set = One(1),
           .items =
               {{.kind = Kind::kBinary},
                {.kind = Kind::kBinary, .peek = true, .section = {.part = {1, 2}}, .partial = Partial{3, 4}},
                {.kind = Kind::kBinarySize, .section = {.part = {1}}}}}},
  };
}

std::vector<Accepted> MetadataCommands() {
  using Depth = MetadataDepth;
  const std::string comment = "/shared/comment";
  const std::string mine = "/private/comment";
  return {
      {"GetMetadata", "a GETMETADATA \"\" /shared/comment\r\n", command::GetMetadata{"", {comment}}},
      {"GetMetadataCase", "a GetMetadata inbox /SHARED/Comment\r\n",
       command::GetMetadata{"INBOX", {"/SHARED/Comment"}}},
      {"GetMetadataList", "a GETMETADATA INBOX (/shared/comment \"/private/comment\")\r\n",
       command::GetMetadata{"INBOX", {comment, mine}}},
      {"GetMetadataBareList", "a GETMETADATA INBOX /shared/comment /private/comment\r\n",
       command::GetMetadata{"INBOX", {comment, mine}}},
      {"GetMetadataOptionsFirst",
       "a GETMETADATA (MAXSIZE 1024 depth INFINITY) \"\" (/shared /private/vendor)\r\n",
       command::GetMetadata{"", {"/shared", "/private/vendor"}, Depth::kInfinity, 1024}},
      {"GetMetadataOptionsAfter", "a GETMETADATA INBOX (MAXSIZE 0) (/shared/comment /private/comment)\r\n",
       command::GetMetadata{"INBOX", {comment, mine}, Depth::kEntry, 0}},
      {"GetMetadataOptionsTwice", "a GETMETADATA (DEPTH 1) x (MAXSIZE 9) /private/filters/values\r\n",
       command::GetMetadata{"x", {"/private/filters/values"}, Depth::kChildren, 9}},
      {"GetMetadataDepthZero", "a GETMETADATA (DEPTH 0) x /shared/vendor/cmu/y\r\n",
       command::GetMetadata{"x", {"/shared/vendor/cmu/y"}}},
      {"GetMetadataLiteral", "a GETMETADATA {1}\r\nx {15}\r\n/shared/comment\r\n",
       command::GetMetadata{"x", {comment}}},
      {"SetMetadata", "a SETMETADATA INBOX (/private/comment \"My \\\"note\\\"\")\r\n",
       command::SetMetadata{"INBOX", {{mine, "My \"note\""}}}},
      {"SetMetadataNil", "a SETMETADATA \"\" (/private/comment nil)\r\n",
       command::SetMetadata{"", {{mine, std::nullopt}}}},
      {"SetMetadataEmpty", "a SETMETADATA x (/private/comment \"\" /shared/comment {0}\r\n)\r\n",
       command::SetMetadata{"x", {{mine, ""}, {comment, ""}}}},
      {"SetMetadataLiterals",
       "a SETMETADATA x (/private/comment {33}\r\nMy new comment across\r\ntwo lines. /shared/comment "
       "{2+}\r\n\xc3\xa9)\r\n",
       command::SetMetadata{"x", {{mine, "My new comment across\r\ntwo lines."}, {comment, "\xc3\xa9"}}}},
      {"SetMetadataLiteral8",
       "a SETMETADATA x (/private/vendor/a/b ~{3}\r\na\0b /shared/comment ~{1+}\r\n\0)\r\n"s,
       command::SetMetadata{
           "x", {{"/private/vendor/a/b", std::string("a\0b", 3)}, {comment, std::string(1, '\0')}}}},
  };
}

std::vector<Accepted> SearchCommands() {
  SearchKey header = TextKey(Op::kHeader, "");
  header.field = "X-Y";
  return {
      {"SearchAll", "a SEARCH ALL\r\n", Find({Key(Op::kAll)})},
      {"UidSearch", "a UID SEARCH UID 5:*\r\n",
       command::Search{.numbers = kUid, .key = And({Numbers(Op::kUidSet, Set({{5, kStar}}))})}},
      {"SearchFlags", "a SEARCH ANSWERED UNSEEN KEYWORD $x UNKEYWORD \\read-report-sent\r\n",
       Find({TextKey(Op::kFlag, "\\Answered"), TextKey(Op::kUnflag, "\\Seen"), TextKey(Op::kFlag, "$x"),
             TextKey(Op::kUnflag, "\\read-report-sent")})},
      {"SearchRecent", "a SEARCH NEW OLD RECENT\r\n", Find({Key(Op::kNew), Key(Op::kOld), Key(Op::kRecent)})},
      {"SearchStrings", "a SEARCH FROM joe TO \"a b\" SUBJECT {3}\r\nx y BCC b CC c BODY d TEXT e\r\n",
       Find({TextKey(Op::kFrom, "joe"), TextKey(Op::kTo, "a b"), TextKey(Op::kSubject, "x y"),
             TextKey(Op::kBcc, "b"), TextKey(Op::kCc, "c"), TextKey(Op::kBody, "d"),
             TextKey(Op::kText, "e")})},
      {"SearchHeader", "a SEARCH HEADER X-Y \"\"\r\n", Find({header})},
      {"SearchDates",
       "a SEARCH SINCE 1-Jan-1970 BEFORE \"02-jan-1970\" SENTON 3-Jan-1970 SAVEDSINCE 4-Jan-1970\r\n",
       Find({DayKey(Op::kSince, 0), DayKey(Op::kBefore, 1), DayKey(Op::kSentOn, 2),
             DayKey(Op::kSavedSince, 3)})},
      {"SearchMoreDates",
       "a SEARCH ON 1-Jan-1970 SENTBEFORE 1-Jan-1970 SENTSINCE 1-Jan-1970 SAVEDBEFORE 1-Jan-1970 "
       "SAVEDON 1-Jan-1970 SAVEDATESUPPORTED\r\n",
       Find({DayKey(Op::kOn, 0), DayKey(Op::kSentBefore, 0), DayKey(Op::kSentSince, 0),
             DayKey(Op::kSavedBefore, 0), DayKey(Op::kSavedOn, 0), Key(Op::kSaveDateSupported)})},
      {"SearchNumbers", "a SEARCH LARGER 4294967296 SMALLER 0 OLDER 60 YOUNGER 1\r\n",
       Find({NumberKey(Op::kLarger, 4294967296ULL), NumberKey(Op::kSmaller, 0), NumberKey(Op::kOlder, 60),
             NumberKey(Op::kYounger, 1)})},
      {"SearchIds", "a SEARCH EMAILID M1 THREADID T2\r\n",
       Find({TextKey(Op::kEmailId, "M1"), TextKey(Op::kThreadId, "T2")})},
      {"SearchTree", "a SEARCH OR NOT SEEN (1:3 $) $\r\n",
       Find({{.op = Op::kOr,
              .children = {{.op = Op::kNot, .children = {TextKey(Op::kFlag, "\\Seen")}},
                           And({Numbers(Op::kSequenceSet, Set({{1, 3}})),
                                Numbers(Op::kSequenceSet, kSaved)})}},
             Numbers(Op::kSequenceSet, kSaved)})},
      {"SearchCharset", "a SEARCH CHARSET utf-8 TEXT {2}\r\n\xc3\xa9\r\n",
       command::Search{.charset = "UTF-8", .key = And({TextKey(Op::kText, "\xc3\xa9")})}},
      {"SearchReturn", "a SEARCH RETURN (MIN MAX COUNT SAVE) CHARSET \"US-ASCII\" *\r\n",
       command::Search{.returns = SearchReturn{.min = true, .max = true, .count = true, .save = true},
                       .charset = "US-ASCII",
                       .key = And({Numbers(Op::kSequenceSet, One(kStar))})}},
      {"SearchModSeq", "a SEARCH MODSEQ 620162338\r\n",
       command::Search{.key = And({NumberKey(Op::kModSeq, 620162338)}), .modseq = true}},
      {"SearchModSeqItem", "a SEARCH NOT MODSEQ \"/flags/\\\\draft\" all 0\r\n",
       command::Search{.key = And({{.op = Op::kNot, .children = {NumberKey(Op::kModSeq, 0)}}}),
                       .modseq = true}},
      {"SearchModSeqKeyword", "a SEARCH MODSEQ \"/FLAGS/$MDNSent\" Shared 1 ALL\r\n",
       command::Search{.key = And({NumberKey(Op::kModSeq, 1), Key(Op::kAll)}), .modseq = true}},
      {"SearchReturnNothing", "a UID SEARCH RETURN () ALL\r\n",
       command::Search{.numbers = kUid, .returns = SearchReturn{.all = true}, .key = And({Key(Op::kAll)})}},
      {"SearchReturnAll", "a SEARCH return (all) ALL\r\n",
       command::Search{.returns = SearchReturn{.all = true}, .key = And({Key(Op::kAll)})}},
  };
}

std::vector<Accepted> SortCommands() {
  const command::Search all{.charset = "UTF-8", .key = And({Key(Op::kAll)})};
  command::Search uid_all = all;
  uid_all.numbers = kUid;
  command::Search returned = uid_all;
  returned.returns = SearchReturn{.min = true, .all = true, .save = true};
  command::Search returned_all = all;
  returned_all.returns = SearchReturn{.all = true};
  return {
      {"Sort", "a SORT (SUBJECT reverse DATE) UTF-8 ALL\r\n",
       command::Sort{{{SortKey::kSubject, false}, {SortKey::kDate, true}}, all}},
      {"SortKeys",
       "a UID SORT (ARRIVAL CC DATE FROM SIZE SUBJECT TO DisplayFrom DISPLAYTO) \"utf-8\" ALL\r\n",
       command::Sort{{{SortKey::kArrival, false},
                      {SortKey::kCc, false},
                      {SortKey::kDate, false},
                      {SortKey::kFrom, false},
                      {SortKey::kSize, false},
                      {SortKey::kSubject, false},
                      {SortKey::kTo, false},
                      {SortKey::kDisplayFrom, false},
                      {SortKey::kDisplayTo, false}},
                     uid_all}},
      {"SortReturn", "a UID SORT RETURN (MIN ALL SAVE) (REVERSE SIZE) UTF-8 ALL\r\n",
       command::Sort{{{SortKey::kSize, true}}, returned}},
      {"SortReturnNothing", "a SORT return () (TO) UTF-8 ALL\r\n",
       command::Sort{{{SortKey::kTo, false}}, returned_all}},
      {"SortLiteral", "a SORT (TO) utf-8 SUBJECT {2}\r\n\xc3\xa9 SEEN\r\n",
       command::Sort{{{SortKey::kTo, false}},
                     {.charset = "UTF-8",
                      .key = And({TextKey(Op::kSubject, "\xc3\xa9"), TextKey(Op::kFlag, "\\Seen")})}}},
      {"Thread", "a THREAD references UTF-8 ALL\r\n", command::Thread{ThreadAlgorithm::kReferences, all}},
      {"ThreadUid", "a UID THREAD ORDEREDSUBJECT UTF-8 ALL\r\n",
       command::Thread{ThreadAlgorithm::kOrderedSubject, uid_all}},
      {"ThreadContribution", "a UID THREAD X-CPM-CONTRIBUTION UTF-8 ALL\r\n",
       command::Thread{ThreadAlgorithm::kCpmContribution, uid_all}},
  };
}

}  // namespace

const std::vector<Accepted>& AcceptedCommands() {
  static const auto all = [] {
    std::vector<Accepted> out;
    for (auto part : {SimpleCommands(), MailboxCommands(), MessageCommands(), MetadataCommands(),
                      SearchCommands(), SortCommands()}) {
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }();
  return all;
}

const std::vector<Rejected>& RejectedCommands() {
  static const std::vector<Rejected> all{
      {"EmptyLine", "\r\n", 0, "tag"},
      {"NoTag", " NOOP\r\n", 0, "tag"},
      {"PlusTag", "+ NOOP\r\n", 0, "tag"},
      {"TagOnly", "a\r\n", 1, "SP"},
      {"NoCommand", "a \r\n", 2, "command name"},
      {"Unknown", "a FROB\r\n", 2, "command name"},
      {"UnknownUid", "a UID NOOP\r\n", 6, "command name"},
      {"TrailingSpace", "a NOOP \r\n", 6, "CRLF"},
      {"TrailingWord", "a NOOP x\r\n", 6, "CRLF"},
      {"TwoSpaces", "a  NOOP\r\n", 2, "command name"},
      {"NulInLine", std::string("a NO\0OP\r\n", 9), 2, "command name"},
      {"BareCarriageReturn", "a NOOP\rx\r\n", 6, "CRLF"},
      {"LoginOneArgument", "a LOGIN joe\r\n", 11, "SP"},
      {"LoginEightBit", "a LOGIN j\xc3\xb6 x\r\n", 9, "SP"},
      {"QuotedEightBit", "a LOGIN \"j\xc3\xb6\" x\r\n", 10, "7-bit octet (8-bit text needs a literal)"},
      {"QuotedUnclosed", "a LOGIN \"joe\r\n", 12, "closing DQUOTE"},
      {"QuotedBadEscape", "a LOGIN \"j\\oe\" x\r\n", 11, "quoted-specials"},
      {"QuotedNul", std::string("a LOGIN \"j\0e\" x\r\n", 17), 10, "closing DQUOTE"},
      {"LiteralNul", std::string("a LOGIN {2+}\r\nj\0 x\r\n", 20), 15, "octet other than NUL"},
      {"LiteralEight", "a LOGIN ~{2+}\r\nab x\r\n", 9, "SP"},
      {"LiteralNoNumber", "a LOGIN {}\r\n", 9, "number"},
      {"BadBase64", "a AUTHENTICATE PLAIN AHU\r\n", 21, "base64"},
      {"LongMechanism", "a AUTHENTICATE ABCDEFGHIJKLMNOPQRSTU\r\n", 15, "fewer octets"},
      {"IdOddFields", "a ID (\"a\")\r\n", 9, "SP"},
      {"IdAtom", "a ID (a b)\r\n", 6, "string"},
      {"EnableNothing", "a ENABLE\r\n", 8, "SP"},
      {"SelectUnknownParameter", "a SELECT x (CONDSTORE FROB)\r\n", 22, "CONDSTORE or QRESYNC, each once"},
      {"SelectNoParameter", "a SELECT x ()\r\n", 12, "CONDSTORE or QRESYNC, each once"},
      {"SelectCondstoreTwice", "a SELECT x (CONDSTORE CONDSTORE)\r\n", 22, "CONDSTORE or QRESYNC, each once"},
      {"SelectQresyncTwice", "a SELECT x (QRESYNC (1 1) QRESYNC (1 1))\r\n", 26,
       "CONDSTORE or QRESYNC, each once"},
      {"SelectQresyncNothing", "a SELECT x (QRESYNC)\r\n", 19, "SP"},
      {"SelectQresyncNoModSeq", "a SELECT x (QRESYNC (1))\r\n", 22, "SP"},
      {"SelectQresyncNoValidity", "a SELECT x (QRESYNC (0 5))\r\n", 21, "nz-number"},
      {"SelectQresyncModSeqZero", "a SELECT x (QRESYNC (1 0))\r\n", 23, "mod-sequence above 0"},
      {"SelectQresyncModSeq64", "a SELECT x (QRESYNC (1 9223372036854775808))\r\n", 23,
       "mod-sequence of 63 bits"},
      {"SelectQresyncModSeqHuge", "a SELECT x (QRESYNC (1 18446744073709551616))\r\n", 23, "mod-sequence"},
      {"SelectQresyncStar", "a SELECT x (QRESYNC (1 5 1:*))\r\n", 25, "sequence-set without \"*\""},
      {"SelectQresyncSaved", "a SELECT x (QRESYNC (1 5 $))\r\n", 25, "sequence-set without \"*\""},
      {"SelectQresyncUidZero", "a SELECT x (QRESYNC (1 5 0:3))\r\n", 25, "nz-number"},
      {"SelectQresyncMatchCount", "a SELECT x (QRESYNC (1 5 (1:2 1)))\r\n", 30,
       "as many UIDs as message numbers"},
      {"SelectQresyncMatchOrder", "a SELECT x (QRESYNC (1 5 (2,1 3:4)))\r\n", 26,
       "sequence-set in ascending order"},
      {"SelectQresyncMatchReversed", "a SELECT x (QRESYNC (1 5 (1:2 4:3)))\r\n", 30,
       "sequence-set in ascending order"},
      {"SelectQresyncMatchStar", "a SELECT x (QRESYNC (1 5 (1 *)))\r\n", 28, "sequence-set without \"*\""},
      {"SelectQresyncMatchHalf", "a SELECT x (QRESYNC (1 5 1 (1)))\r\n", 29, "SP"},
      {"SelectQresyncUnclosed", "a SELECT x (QRESYNC (1 5)\r\n", 25, "\")\""},
      {"BadUtf7", "a SELECT a&b\r\n", 9, "mailbox name in modified UTF-7"},
      {"EightBitName", "a SELECT {2+}\r\n\xc3\xa9\r\n", 9, "mailbox name in modified UTF-7"},
      {"CreateUnknownParameter", "a CREATE x (ACL)\r\n", 12, "USE"},
      {"CreateUseAtom", "a CREATE x (USE (Sent))\r\n", 17, "use-attr"},
      {"ListUnknownSelection", "a LIST (FROBS) \"\" *\r\n", 8,
       "list-select-opt: SUBSCRIBED, REMOTE, RECURSIVEMATCH or SPECIAL-USE"},
      {"ListRecursiveMatchAlone", "a LIST (RECURSIVEMATCH) \"\" *\r\n", 7,
       "SUBSCRIBED beside RECURSIVEMATCH"},
      {"ListRecursiveMatchRemote", "a LIST (REMOTE RECURSIVEMATCH) \"\" *\r\n", 7,
       "SUBSCRIBED beside RECURSIVEMATCH"},
      {"ListRecursiveMatchSpecialUse", "a LIST (RECURSIVEMATCH SPECIAL-USE) \"\" *\r\n", 7,
       "SUBSCRIBED beside RECURSIVEMATCH"},
      {"ListSelectionUnclosed", "a LIST (SUBSCRIBED \"\" *\r\n", 19,
       "list-select-opt: SUBSCRIBED, REMOTE, RECURSIVEMATCH or SPECIAL-USE"},
      {"ListNoPatterns", "a LIST \"\" ()\r\n", 11, "list-mailbox"},
      {"ListPatternsUnclosed", "a LIST \"\" (a b\r\n", 14, "\")\""},
      {"ListTrailing", "a LIST \"\" * x\r\n", 12, "RETURN"},
      {"ListReturnNoParenthesis", "a LIST \"\" * RETURN CHILDREN\r\n", 19, "\"(\""},
      {"ListUnknownReturn", "a LIST \"\" * RETURN (CHILDREN MYRIGHTS)\r\n", 29,
       "return-option: SUBSCRIBED, CHILDREN, SPECIAL-USE, STATUS (...) or METADATA (...)"},
      {"ListMetadataNothing", "a LIST \"\" * RETURN (METADATA ())\r\n", 30, "astring"},
      {"ListMetadataNoList", "a LIST \"\" * RETURN (METADATA /shared/comment)\r\n", 29, "\"(\""},
      {"ListMetadataBadName", "a LIST \"\" * RETURN (METADATA (/shared))\r\n", 30,
       "an entry name of two components or more"},
      {"ListStatusNothing", "a LIST \"\" * RETURN (STATUS ())\r\n", 28, "status-att"},
      {"ListStatusNoList", "a LIST \"\" * RETURN (STATUS)\r\n", 26, "SP"},
      {"StatusNothing", "a STATUS x ()\r\n", 12, "status-att"},
      {"StatusUnknown", "a STATUS x (MESSAGES DELETED)\r\n", 21, "status-att"},
      {"GetMetadataNothing", "a GETMETADATA x\r\n", 15, "SP"},
      {"GetMetadataEmptyList", "a GETMETADATA x ()\r\n", 17, "astring"},
      {"GetMetadataNoPrefix", "a GETMETADATA x /comment\r\n", 16,
       "an entry name that begins with /private or /shared"},
      {"GetMetadataPrefixOnly", "a GETMETADATA x /sharedx/y\r\n", 16,
       "an entry name that begins with /private or /shared"},
      {"GetMetadataWildcard", "a GETMETADATA x \"/shared/*\"\r\n", 16,
       "an entry name without \"*\" and \"%\""},
      {"GetMetadataPercent", "a GETMETADATA x \"/shared/%\"\r\n", 16,
       "an entry name without \"*\" and \"%\""},
      {"GetMetadataTwoSlashes", "a GETMETADATA x /shared//comment\r\n", 16, "an entry name without \"//\""},
      {"GetMetadataSlashAtEnd", "a GETMETADATA x /shared/comment/\r\n", 16,
       "an entry name that does not end in \"/\""},
      {"GetMetadataRoot", "a GETMETADATA x /shared\r\n", 16, "an entry name of two components or more"},
      {"GetMetadataVendor", "a GETMETADATA x /shared/Vendor/cmu\r\n", 16,
       "a vendor's entry name of four components or more"},
      {"GetMetadataControl", "a GETMETADATA x \"/shared/a\tb\"\r\n", 16,
       "an entry name without control characters"},
      {"GetMetadataEightBit", "a GETMETADATA x {10+}\r\n/shared/\xc3\xa9\r\n", 16, "an entry name in ASCII"},
      {"GetMetadataUnknownOption", "a GETMETADATA (SORT 1) x /shared/comment\r\n", 15,
       "MAXSIZE or DEPTH, each once"},
      {"GetMetadataOptionTwice", "a GETMETADATA (DEPTH 1) x (DEPTH 1) /shared/comment\r\n", 27,
       "MAXSIZE or DEPTH, each once"},
      {"GetMetadataDepthTwo", "a GETMETADATA (DEPTH 2) x /shared/comment\r\n", 21, "0, 1 or infinity"},
      {"GetMetadataMaxSizeHuge", "a GETMETADATA (MAXSIZE 4294967296) x /shared/comment\r\n", 23, "number"},
      {"SetMetadataNoList", "a SETMETADATA x /shared/comment \"y\"\r\n", 16, "\"(\""},
      {"SetMetadataNoValue", "a SETMETADATA x (/shared/comment)\r\n", 32, "SP"},
      {"SetMetadataAtom", "a SETMETADATA x (/shared/comment y)\r\n", 33, "string"},
      {"SetMetadataVendor", "a SETMETADATA x (/private/vendor/cmu \"y\")\r\n", 17,
       "a vendor's entry name of four components or more"},
      {"SetMetadataNul", "a SETMETADATA x (/shared/comment {1+}\r\n\0)\r\n"s, 39, "octet other than NUL"},
      {"ZeroNumber", "a STORE 0 FLAGS ()\r\n", 8, "nz-number"},
      {"ZeroEnd", "a STORE 1:0 FLAGS ()\r\n", 10, "nz-number"},
      {"HugeNumber", "a STORE 4294967296 FLAGS ()\r\n", 8, "sequence-set"},
      {"EmptySet", "a STORE FLAGS ()\r\n", 8, "sequence-set"},
      {"SetTrailingComma", "a STORE 1, FLAGS ()\r\n", 10, "sequence-set"},
      {"SavedInList", "a STORE 1,$ FLAGS ()\r\n", 10, "sequence-set"},
      {"StoreUnclosed", "a STORE 1 FLAGS (\\Seen\r\n", 22, "flag-list"},
      {"StoreTrailing", "a STORE 1 FLAGS () x\r\n", 18, "CRLF"},
      {"StoreRecent", "a STORE 1 FLAGS (\\Recent)\r\n", 17, "flag other than \\Recent"},
      {"StoreModifierUnknown", "a STORE 1 (CHANGEDSINCE 5) FLAGS ()\r\n", 11, "UNCHANGEDSINCE"},
      {"StoreModifierNothing", "a STORE 1 () FLAGS ()\r\n", 11, "UNCHANGEDSINCE"},
      {"StoreModifierTwice", "a STORE 1 (UNCHANGEDSINCE 5 UNCHANGEDSINCE 6) FLAGS ()\r\n", 27, "\")\""},
      {"StoreModifierHuge", "a STORE 1 (UNCHANGEDSINCE 9223372036854775808) FLAGS ()\r\n", 26,
       "mod-sequence of 63 bits"},
      {"StoreAnyFlag", "a STORE 1 FLAGS (\\*)\r\n", 18, "flag"},
      {"FetchNothing", "a FETCH 1 ()\r\n", 11, "fetch-att"},
      {"FetchUnknown", "a FETCH 1 (FLAGS ANNOTATION)\r\n", 17, "fetch-att"},
      {"FetchMacroInList", "a FETCH 1 (ALL)\r\n", 11, "fetch-att"},
      {"FetchModifierNothing", "a FETCH 1 FLAGS ()\r\n", 17, "CHANGEDSINCE, once"},
      {"FetchModifierTwice", "a FETCH 1 FLAGS (CHANGEDSINCE 5 CHANGEDSINCE 5)\r\n", 32, "CHANGEDSINCE, once"},
      {"FetchModSeqZero", "a FETCH 1 FLAGS (CHANGEDSINCE 0)\r\n", 30, "mod-sequence above 0"},
      {"FetchModSeqHuge", "a FETCH 1 FLAGS (CHANGEDSINCE 9223372036854775808)\r\n", 30,
       "mod-sequence of 63 bits"},
      {"FetchVanishedNotUid", "a FETCH 1 FLAGS (CHANGEDSINCE 5 VANISHED)\r\n", 32, "CHANGEDSINCE, once"},
      {"FetchVanishedAlone", "a UID FETCH 1 FLAGS (VANISHED)\r\n", 29, "CHANGEDSINCE beside VANISHED"},
      {"FetchVanishedTwice", "a UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED VANISHED)\r\n", 45,
       "CHANGEDSINCE or VANISHED, each once"},
      {"FetchTopMime", "a FETCH 1 BODY[MIME]\r\n", 15, "section"},
      {"FetchPartZero", "a FETCH 1 BODY[1.0]\r\n", 17, "nz-number"},
      {"FetchEmptyFields", "a FETCH 1 BODY[HEADER.FIELDS ()]\r\n", 30, "astring"},
      {"FetchPartialZero", "a FETCH 1 BODY[]<0.0>\r\n", 19, "nz-number"},
      {"FetchPartialHalf", "a FETCH 1 BODY[]<0>\r\n", 18, "\".\""},
      {"FetchPeekAlone", "a FETCH 1 BODY.PEEK\r\n", 19, "section"},
      {"FetchBinaryText", "a FETCH 1 BINARY[TEXT]\r\n", 17, "\"]\""},
      {"SearchModSeqHuge", "a SEARCH MODSEQ 9223372036854775808\r\n", 16, "mod-sequence of 63 bits"},
      {"SearchModSeqItemType", "a SEARCH MODSEQ \"/flags/x\" both 1\r\n", 27, "priv, shared or all"},
      {"SearchModSeqItemName", "a SEARCH MODSEQ \"/comment\" all 1\r\n", 16, "\"/flags/\" and a flag"},
      {"SearchModSeqNoItem", "a SEARCH MODSEQ all 1\r\n", 16, "mod-sequence"},
      {"SearchNothing", "a SEARCH\r\n", 8, "SP"},
      {"SearchUnknownKey", "a SEARCH SEEN FUZZY\r\n", 14, "search-key"},
      {"SearchReturnUnknown", "a SEARCH RETURN (RELEVANCY) ALL\r\n", 17, "search-return-opt"},
      {"SearchOrOneKey", "a SEARCH OR SEEN\r\n", 16, "SP"},
      {"SearchEmptyList", "a SEARCH ()\r\n", 10, "search-key"},
      {"SearchBadDate", "a SEARCH SINCE 30-Feb-2020\r\n", 15, "date"},
      {"SearchOlderZero", "a SEARCH OLDER 0\r\n", 15, "nz-number"},
      {"SortNoCriteria", "a SORT UTF-8 ALL\r\n", 7, "\"(\""},
      {"SortEmpty", "a SORT () UTF-8 ALL\r\n", 8, "sort-key"},
      {"SortUnknownKey", "a SORT (DATE BCC) UTF-8 ALL\r\n", 13, "sort-key"},
      {"SortReverseOnly", "a SORT (REVERSE) UTF-8 ALL\r\n", 15, "SP"},
      {"SortUnclosed", "a SORT (DATE UTF-8 ALL\r\n", 13, "sort-key"},
      {"SortNoCharset", "a SORT (DATE)\r\n", 13, "SP"},
      {"SortNoKey", "a SORT (DATE) UTF-8\r\n", 19, "SP"},
      {"SortReturnUnknown", "a SORT RETURN (RELEVANCY) (DATE) UTF-8 ALL\r\n", 15, "search-return-opt"},
      {"ThreadUnknown", "a THREAD JWZ UTF-8 ALL\r\n", 9, "thread-alg"},
      {"ThreadReturn", "a THREAD RETURN () REFERENCES UTF-8 ALL\r\n", 9, "thread-alg"},
      {"ThreadNoCharset", "a THREAD REFERENCES\r\n", 19, "SP"},
      {"UidExpungeNothing", "a UID EXPUNGE\r\n", 13, "SP"},
      {"CopyNoMailbox", "a COPY 1\r\n", 8, "SP"},
      {"AppendNoLiteral", "a APPEND INBOX\r\n", 14, "SP"},
      {"AppendQuotedMessage", "a APPEND INBOX () x\r\n", 18, "literal"},
      {"AppendBadDate", "a APPEND INBOX \"31-Feb-2020 00:00:00 +0000\" {3+}\r\nabc\r\n", 15, "date-time"},
  };
  return all;
}

}  // namespace protocol::testing
