#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/model/metadata_entry.h"

/// The one table of what a client may make the server hold or do. Every size that a peer controls and that is
/// not in the configuration is here.
namespace protocol::limits {

/// Octets of one command line without its literals, before login: strangers get little.
inline constexpr std::size_t kLineBeforeLogin = 8 * 1024;
/// The same after login. RFC 2683 §3.2.1.5 asks for 8,000; message sets of real clients need more.
inline constexpr std::size_t kLineAfterLogin = 64 * 1024;
/// One literal other than a message: a user name, a search text, a mailbox name.
inline constexpr std::size_t kLiteralBeforeLogin = 1024;
inline constexpr std::size_t kLiteralAfterLogin = 64 * 1024;
/// All literals of one command, so that a command cannot hold more than this plus one line.
inline constexpr std::size_t kLiteralsPerCommand = 256 * 1024;
/// The prefix is parsed once for each literal, so their number bounds that work.
inline constexpr std::size_t kLiteralCount = 64;
/// What is read and thrown away to stay in step with a client whose line or LITERAL+ was refused; beyond it
/// the connection is closed (RFC 7888 §4 allows that).
inline constexpr std::uint64_t kSkippedBeforeLogin = 64 * 1024;
inline constexpr std::uint64_t kSkippedAfterLogin = 256ULL * 1024 * 1024;

/// Commands, and octets in all, of a connection that has not logged in; then BYE. A login takes some five
/// commands.
inline constexpr std::size_t kCommandsBeforeLogin = 100;
inline constexpr std::uint64_t kOctetsBeforeLogin = 256ULL * 1024;

inline constexpr std::size_t kTag = 256;  ///< octets; clients use about 8
inline constexpr std::size_t kMailboxArgument =
    4096;  ///< octets as sent: 1,000 of UTF-8 in modified UTF-7, and air
inline constexpr std::size_t kListPattern = 4096;          ///< matching costs name times pattern
inline constexpr std::size_t kListPatterns = 64;           ///< of one LIST; each is matched with each name
inline constexpr std::size_t kListOptions = 32;            ///< of one list of options; there are ten
inline constexpr std::size_t kUserName = 1024;             ///< LOGIN's first argument
inline constexpr std::size_t kPassword = 1024;             ///< LOGIN's second argument; hashing it costs
inline constexpr std::size_t kSequenceRanges = 16 * 1024;  ///< ranges of one set: as many as fit a line
inline constexpr std::size_t kFlags = 128;                 ///< flags of one STORE or APPEND
inline constexpr std::size_t kFlagName = 255;    ///< octets of one keyword; it is stored in its folder's row
inline constexpr std::size_t kFetchItems = 128;  ///< items of one FETCH
inline constexpr std::size_t kHeaderFields = 256;  ///< names in one HEADER.FIELDS
inline constexpr std::size_t kSectionParts = 64;   ///< numbers in 1.2.3; deeper parts do not exist here
inline constexpr std::size_t kSearchKeys = 1024;   ///< nodes of one SEARCH program
inline constexpr std::size_t kSearchDepth = 128;   ///< NOT, OR, parentheses: clients chain ORs; we recurse
inline constexpr std::size_t kSearchTextKeys =
    32;  ///< nodes that read a message's text: SUBJECT, BODY; each costs its length for every message
inline constexpr std::size_t kSearchText = 16 * 1024;  ///< octets of one search string
inline constexpr std::size_t kSortCriteria = 16;       ///< of one SORT; there are nine keys
inline constexpr std::size_t kSortKey = 512;  ///< octets of a collated string that are compared and kept
inline constexpr std::size_t kSortMemory =
    64U << 20U;  ///< octets that a SORT or THREAD keeps of its messages, or NO [LIMIT]: senders choose
                 ///< subjects and references; 100,000 messages with keys of kSortKey fit
inline constexpr std::size_t kThreadReferences =
    100;  ///< Message IDs of one References field, the nearest ancestors; each may be a node of the tree
inline constexpr std::size_t kThreadId = 512;  ///< octets of one Message ID; a longer one names nobody
inline constexpr std::size_t kThreadNesting =
    256;  ///< lists within each other in a THREAD answer: clients recurse, and senders choose the references
inline constexpr std::size_t kContexts =
    8;  ///< searches that a session has updated at once (RFC 5267 §4.3.1), else [NOUPDATE]; each is run over
        ///< what changes in the folder
inline constexpr std::size_t kContextMessages =
    100'000;  ///< messages in the result of one of these, up to twelve octets each; one that grows beyond is
              ///< ended
inline constexpr std::size_t kCancelledTags = 64;  ///< of one CANCELUPDATE
inline constexpr std::size_t kStatusItems = 32;
inline constexpr std::size_t kCapabilityNames = 64;   ///< arguments of ENABLE
inline constexpr std::size_t kIdPairs = 30;           ///< RFC 2971 §3.3
inline constexpr std::size_t kIdKey = 30;             ///< RFC 2971 §3.3
inline constexpr std::size_t kIdValue = 1024;         ///< RFC 2971 §3.3
inline constexpr std::size_t kMetadataEntries = 128;  ///< of one GETMETADATA or SETMETADATA; each is a read
inline constexpr std::size_t kMetadataName = kMaxMetadataName;  ///< octets of one: it is part of a key
inline constexpr std::size_t kMetadataValue =
    kLiteralAfterLogin;  ///< octets; over it, or over the store's own limit: [METADATA MAXSIZE]
inline constexpr std::size_t kAclIdentifier =
    512;                                        ///< octets; an address has at most 255 once it is canonical
inline constexpr std::size_t kAclRights = 64;   ///< octets of SETACL's last argument; there are 14 letters
inline constexpr std::size_t kQuotaRoot = 512;  ///< octets of a root's name; ours are addresses
inline constexpr std::size_t kQuotaResources = 32;     ///< of one SETQUOTA; there are four
inline constexpr std::size_t kQuotaResourceName = 64;  ///< octets
inline constexpr std::size_t kNotifyMailboxes =
    1000;  ///< names in one NOTIFY, which a session keeps and each change is compared with
inline constexpr std::size_t kNotifyOctets = 32 * 1024;  ///< of them
inline constexpr std::size_t kNotifyAccounts = 256;      ///< other users some of whose mailboxes a NOTIFY
                                                     ///< watches; each is a subscription to that user's news
inline constexpr std::size_t kNotifyGroups = 64;  ///< event groups of one NOTIFY
inline constexpr std::size_t kNotifyEvents = 32;  ///< names in one event group; there are seven
inline constexpr std::size_t kSpecialUses = 8;    ///< attributes of one CREATE
inline constexpr std::size_t kMechanism = 20;     ///< RFC 4422 §3.1
inline constexpr std::size_t kUrl =
    8 * 1024;  ///< octets of one IMAP URL: the longest mailbox and user names, percent-encoded, fit
inline constexpr std::size_t kUrls = 256;         ///< of one GENURLAUTH or URLFETCH; each is a few reads
inline constexpr std::size_t kUrlMechanism = 32;  ///< octets of its name; RFC 4467 knows INTERNAL alone
inline constexpr std::size_t kUrlMechanisms = 8;  ///< of one RESETKEY
inline constexpr std::size_t kMultiAppend =
    1000;  ///< messages of one APPEND: staged until the last one is there
inline constexpr std::size_t kCatenateParts =
    1000;  ///< of all of these messages; each URL is a few reads, and what they name counts for APPENDLIMIT
/// Octets that the URLs of one command have read for other than to be handed on: CPIMs that are looked into,
/// encoded parts that are decoded to be counted or skipped, headers that are counted. The URL that reaches it
/// is still answered; more than any one message has.
inline constexpr std::uint64_t kUrlWork = 1ULL << 31;

/// Bytes asked of the socket at once while a command is read, and while a message streams.
inline constexpr std::size_t kReadChunk = 4 * 1024;
inline constexpr std::size_t kStreamChunk = 64 * 1024;

}  // namespace protocol::limits
