// The transcripts use every command, every FETCH item, every SEARCH and SORT key, every threading algorithm,
// every STATUS item. Whoever adds one
// writes a dialog for it, or this test names what has none.

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "protocol/imap/parse/parser.h"
#include "protocol/model/ascii.h"
#include "server/imap/command_table.h"
#include "tests/support/transcript_pattern.h"
#include "tests/support/transcript_script.h"
#include "tests/transcripts/transcript_files.h"

namespace tests::transcript {
namespace {

using protocol::FetchItem;
using protocol::SearchKey;
using protocol::SortKey;
using protocol::StatusItem;
using protocol::ThreadAlgorithm;
namespace command = protocol::command;

// For the failure's message; the switches make the compiler ask for a new enumerator's name.
std::string_view Name(FetchItem::Kind kind) {
  switch (kind) {
    case FetchItem::Kind::kUid: return "UID";
    case FetchItem::Kind::kFlags: return "FLAGS";
    case FetchItem::Kind::kInternalDate: return "INTERNALDATE";
    case FetchItem::Kind::kRfc822Size: return "RFC822.SIZE";
    case FetchItem::Kind::kEnvelope: return "ENVELOPE";
    case FetchItem::Kind::kBody: return "BODY";
    case FetchItem::Kind::kBodyStructure: return "BODYSTRUCTURE";
    case FetchItem::Kind::kRfc822: return "RFC822";
    case FetchItem::Kind::kRfc822Header: return "RFC822.HEADER";
    case FetchItem::Kind::kRfc822Text: return "RFC822.TEXT";
    case FetchItem::Kind::kSection: return "BODY[]";
    case FetchItem::Kind::kBinary: return "BINARY[]";
    case FetchItem::Kind::kBinarySize: return "BINARY.SIZE[]";
    case FetchItem::Kind::kEmailId: return "EMAILID";
    case FetchItem::Kind::kThreadId: return "THREADID";
    case FetchItem::Kind::kSaveDate: return "SAVEDATE";
    case FetchItem::Kind::kModSeq: return "MODSEQ";
    case FetchItem::Kind::kPreview: return "PREVIEW";
  }
  return {};
}

std::string_view Name(SearchKey::Op op) {
  switch (op) {
    case SearchKey::Op::kAll: return "ALL";
    case SearchKey::Op::kAnd: return "(and)";
    case SearchKey::Op::kOr: return "OR";
    case SearchKey::Op::kNot: return "NOT";
    case SearchKey::Op::kSequenceSet: return "sequence-set";
    case SearchKey::Op::kUidSet: return "UID";
    case SearchKey::Op::kFlag: return "a flag";
    case SearchKey::Op::kUnflag: return "UN-flag";
    case SearchKey::Op::kRecent: return "RECENT";
    case SearchKey::Op::kOld: return "OLD";
    case SearchKey::Op::kNew: return "NEW";
    case SearchKey::Op::kBcc: return "BCC";
    case SearchKey::Op::kCc: return "CC";
    case SearchKey::Op::kFrom: return "FROM";
    case SearchKey::Op::kSubject: return "SUBJECT";
    case SearchKey::Op::kTo: return "TO";
    case SearchKey::Op::kBody: return "BODY";
    case SearchKey::Op::kText: return "TEXT";
    case SearchKey::Op::kHeader: return "HEADER";
    case SearchKey::Op::kBefore: return "BEFORE";
    case SearchKey::Op::kOn: return "ON";
    case SearchKey::Op::kSince: return "SINCE";
    case SearchKey::Op::kSentBefore: return "SENTBEFORE";
    case SearchKey::Op::kSentOn: return "SENTON";
    case SearchKey::Op::kSentSince: return "SENTSINCE";
    case SearchKey::Op::kSavedBefore: return "SAVEDBEFORE";
    case SearchKey::Op::kSavedOn: return "SAVEDON";
    case SearchKey::Op::kSavedSince: return "SAVEDSINCE";
    case SearchKey::Op::kSaveDateSupported: return "SAVEDATESUPPORTED";
    case SearchKey::Op::kLarger: return "LARGER";
    case SearchKey::Op::kSmaller: return "SMALLER";
    case SearchKey::Op::kOlder: return "OLDER";
    case SearchKey::Op::kYounger: return "YOUNGER";
    case SearchKey::Op::kEmailId: return "EMAILID";
    case SearchKey::Op::kThreadId: return "THREADID";
    case SearchKey::Op::kModSeq: return "MODSEQ";
  }
  return {};
}

std::string_view Name(SortKey key) {
  switch (key) {
    case SortKey::kArrival: return "ARRIVAL";
    case SortKey::kCc: return "CC";
    case SortKey::kDate: return "DATE";
    case SortKey::kFrom: return "FROM";
    case SortKey::kSize: return "SIZE";
    case SortKey::kSubject: return "SUBJECT";
    case SortKey::kTo: return "TO";
    case SortKey::kDisplayFrom: return "DISPLAYFROM";
    case SortKey::kDisplayTo: return "DISPLAYTO";
  }
  return {};
}

std::string_view Name(ThreadAlgorithm algorithm) {
  switch (algorithm) {
    case ThreadAlgorithm::kOrderedSubject: return "ORDEREDSUBJECT";
    case ThreadAlgorithm::kReferences: return "REFERENCES";
    case ThreadAlgorithm::kCpmContribution: return "X-CPM-CONTRIBUTION";
  }
  return {};
}

std::string_view Name(StatusItem item) {
  switch (item) {
    case StatusItem::kMessages: return "MESSAGES";
    case StatusItem::kRecent: return "RECENT";
    case StatusItem::kUidNext: return "UIDNEXT";
    case StatusItem::kUidValidity: return "UIDVALIDITY";
    case StatusItem::kUnseen: return "UNSEEN";
    case StatusItem::kSize: return "SIZE";
    case StatusItem::kAppendLimit: return "APPENDLIMIT";
    case StatusItem::kMailboxId: return "MAILBOXID";
    case StatusItem::kHighestModSeq: return "HIGHESTMODSEQ";
    case StatusItem::kDeleted: return "DELETED";
    case StatusItem::kDeletedStorage: return "DELETED-STORAGE";
  }
  return {};
}

/// What the transcripts ask for.
class Used {
 public:
  Used() {
    for (const auto& file : TranscriptFiles()) {
      const auto script = ParseScript(ReadTranscript(file));
      if (!script) continue;
      for (const Step& step : script->steps) {
        if (step.kind == Step::Kind::kSend) Note(step.text);
        if (step.kind == Step::Kind::kRun) Note("x " + step.text);
      }
    }
  }

  std::set<std::size_t> commands;
  std::set<std::string> uid_commands;
  std::set<FetchItem::Kind> fetch;
  std::set<SearchKey::Op> search;
  std::set<std::string> search_flags;
  std::set<SortKey> sort;
  std::set<ThreadAlgorithm> threads;
  std::set<StatusItem> status;
  bool append = false;

 private:
  void Note(std::string_view line) {
    const std::string octets = Unescape(line) + "\r\n";
    if (octets.find(" APPEND ") != std::string::npos) append = true;
    const auto parsed = protocol::ParseCommand(octets);
    if (!parsed) return;
    commands.insert(parsed->command.index());
    if (octets.find(" UID ") != std::string::npos) {
      uid_commands.emplace(server::imap::RowOf(parsed->command).name);
    }
    if (const auto* asked = std::get_if<command::Fetch>(&parsed->command)) {
      for (const auto& item : asked->items) fetch.insert(item.kind);
    }
    if (const auto* sought = std::get_if<command::Search>(&parsed->command)) NoteKey(sought->key);
    if (const auto* asked = std::get_if<command::Sort>(&parsed->command)) {
      for (const auto& criterion : asked->criteria) sort.insert(criterion.key);
    }
    if (const auto* asked = std::get_if<command::Thread>(&parsed->command)) threads.insert(asked->algorithm);
    if (const auto* asked = std::get_if<command::Status>(&parsed->command)) {
      status.insert(asked->items.begin(), asked->items.end());
    }
  }

  void NoteKey(const SearchKey& key) {
    search.insert(key.op);
    if (key.op == SearchKey::Op::kFlag) search_flags.insert(key.text);
    if (key.op == SearchKey::Op::kUnflag) search_flags.insert("not " + key.text);
    for (const auto& child : key.children) NoteKey(child);
  }
};

const Used& Transcripts() {
  static const Used used;
  return used;
}

/// `last` is the enumerator of the highest value.
template <class Enum>
void ExpectAll(const std::set<Enum>& used, Enum last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const auto value = static_cast<Enum>(i);
    EXPECT_TRUE(used.contains(value)) << "no transcript uses " << Name(value);
  }
}

TEST(TranscriptCoverage, EveryCommandHasADialog) {
  for (const auto& row : server::imap::kCommands) {
    EXPECT_TRUE(Transcripts().commands.contains(row.alternative)) << "no transcript uses " << row.name;
  }
  EXPECT_TRUE(Transcripts().append) << "no transcript uses APPEND";
}

TEST(TranscriptCoverage, EveryUidFormHasADialog) {
  for (const auto* name : {"FETCH", "STORE", "SEARCH", "SORT", "THREAD", "COPY", "MOVE", "EXPUNGE"}) {
    EXPECT_TRUE(Transcripts().uid_commands.contains(name)) << "no transcript uses UID " << name;
  }
}

TEST(TranscriptCoverage, EveryFetchItemHasADialog) {
  ExpectAll(Transcripts().fetch, FetchItem::Kind::kPreview);
}

TEST(TranscriptCoverage, EverySearchKeyHasADialog) {
  ExpectAll(Transcripts().search, SearchKey::Op::kModSeq);
  for (const auto* flag : {"\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen"}) {
    EXPECT_TRUE(Transcripts().search_flags.contains(flag)) << flag;
    EXPECT_TRUE(Transcripts().search_flags.contains(std::string("not ") + flag)) << "not " << flag;
  }
}

TEST(TranscriptCoverage, EverySortKeyAndThreadingAlgorithmHasADialog) {
  ExpectAll(Transcripts().sort, SortKey::kDisplayTo);
  ExpectAll(Transcripts().threads, ThreadAlgorithm::kCpmContribution);
}

TEST(TranscriptCoverage, EveryStatusItemHasADialog) {
  ExpectAll(Transcripts().status, StatusItem::kHighestModSeq);
}

}  // namespace
}  // namespace tests::transcript
