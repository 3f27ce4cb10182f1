#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "server/clock.h"
#include "server/references/part_reader.h"
#include "server/references/url_authority.h"
#include "storage/store/mail_store.h"

/// References that are on record (System Description §5.5.2.19 and §5.5.2.20): each is an IMAP URL and an
/// HTTP URL for the same octets.
namespace server::references {

/// What a deployment decides.
struct ReferenceSettings {
  UrlPolicy urls;
  std::string
      base_url;  ///< "https://cms.example.net:8443"; empty: there is no HTTP service, and no such URLs
  std::chrono::seconds lifetime{7 * 86'400};       ///< of a reference whose request does not say
  std::chrono::seconds max_lifetime{30 * 86'400};  ///< from now to the furthest expiry
  /// Octets that one call has hashed at most: they are read for it while it waits.
  std::uint64_t hash_limit = 1ULL << 30;
  /// The same of encoded octets that are decoded to know sizes, and of CPIMs that are looked into. More than
  /// any one message has.
  std::uint64_t decode_limit = 1ULL << 31;
};

/// Which message: by folder and UID, by object id, or by IMDN-Message-ID. A folder narrows the latter two.
struct ObjectName {
  std::optional<std::string> folder;  ///< canonical path
  std::optional<storage::Uid> uid;    ///< with `folder`
  std::optional<storage::UidValidity> uid_validity;
  std::optional<storage::ObjectId> object;
  std::optional<std::string> imdn_message_id;
};

/// What is asked for.
struct Wish {
  storage::FolderRef folder;
  storage::Uid uid;
  protocol::Section section;
  std::optional<protocol::UrlPartial> partial;
  storage::ReferenceAudience kind = storage::ReferenceAudience::kSubmit;
  std::string audience;  ///< a login; with kUser
  bool one_time = false;
  std::optional<std::int64_t> expires;  ///< Unix seconds
  bool hash = false;
  bool web = false;      ///< the HTTP URL is the one in the snippet
  CpimInsidePtr inside;  ///< what to know of a CPIM, if that has been looked at
};

/// A part that is no text to be shown.
struct Attachment {
  protocol::Section section;
  std::optional<protocol::UrlPartial> partial;  ///< it is within the CPIM that `section` names
  CpimInsidePtr inside;                         ///< likewise
};

/// What a reference is about, as its part's header says; safe to be put into any header. Without control
/// characters or line ends whatever the message holds.
struct ContentHead {
  std::string type;         ///< Content-Type with its parameters: printable ASCII
  std::string media_type;   ///< "image/png"
  std::string name;         ///< UTF-8; empty: none
  std::string id;           ///< Content-ID; empty: none, but of what is Issued there is always one
  std::string disposition;  ///< Content-Disposition; empty: none
  std::string description;  ///< Content-Description; empty: none
};
ContentHead HeadOf(PartReader& part, const protocol::Section& section);

struct Issued {
  storage::Reference record;
  ContentHead head;
  std::string url;  ///< empty: there is no HTTP service
  std::string imap_url;
  std::uint64_t size = 0;  ///< octets without transfer encoding
  std::string sha256;      ///< of these, in hexadecimal; empty: not asked for
  /// RFC 4483: a whole message/external-body part, header and all, without a line end behind it.
  std::string external_body;
};

/// Of a reference, at a moment.
enum class Standing : std::uint8_t { kGood, kExpired, kRevoked, kUsed, kReset };
std::string_view Name(Standing standing);

/// A reference that a token or a URL proved.
struct Found {
  storage::Reference record;
  storage::AccountInfo owner;
};

/// Where a message is.
using Place = std::pair<storage::FolderRef, storage::Uid>;

/// Whether there are octets: false: no such part, or in an encoding that is unknown; kUnavailable: they
/// cannot be read, which says nothing about what is there.
storage::Result<bool> IsOpen(PartReader::Begun begun);

/// The error, saying what of a request is to blame; what is the store's own fault blames nothing.
storage::Error At(std::string_view place, storage::Error error);
/// One of `references`.
storage::Error AtReference(std::size_t index, storage::Error error);

/// Issues references and finds them again. Whoever is behind a call has been asked for by the faces
/// (auth::Authenticator); what they may have is UrlAuthority's to say.
///
/// Lifetime   one call; what it refers to outlives it. Calls block.
class ReferenceDesk {
 public:
  ReferenceDesk(storage::MailStore& store, const ReferenceSettings& settings, const Clock& clock)
      : store_(store), settings_(settings), clock_(clock), authority_(store, settings.urls, clock) {}

  /// Each in its order; those that are named by object id are looked for together, in one pass over the
  /// folders. kNoSuchMessage, kNoSuchFolder; kInvalidArgument: several messages have this identifier. An
  /// error says which of them is to blame: "references[2]: there is no such message".
  storage::Result<std::vector<Place>> FindObjects(storage::AccountId owner,
                                                  const std::vector<ObjectName>& names);
  /// The message's parts that are attachments: the leaves that are no plain text to be shown, and in an
  /// encoding that is known, of a CPIM those
  /// within it. kLimit: more than kMaxReferencesAtOnce. kNotAllowed: those of a CPIM cannot be referred to.
  /// kTooBig: more is to be looked into than in one call.
  storage::Result<std::vector<Attachment>> Attachments(storage::FolderRef folder, storage::Uid uid);
  /// Octets of what it names, without transfer encoding. The errors are those of Issue(), without saying
  /// which is to blame.
  storage::Result<std::uint64_t> SizeOf(const Wish& wish);
  /// All or none, recorded. An error says which of them is to blame: "references[2]: no such part". kTooBig:
  /// more is to be hashed or decoded than in one call.
  storage::Result<std::vector<Issued>> Issue(const storage::AccountInfo& owner, storage::AccountId issuer,
                                             const std::vector<Wish>& wishes);

  /// What a token of an HTTP URL names, whoever asks and whatever became of it. A token that is not right, to
  /// the letter, names nothing, and takes as long.
  storage::Result<std::optional<Found>> FindByToken(std::string_view token);
  /// For whom it is, as URLs say it.
  static protocol::UrlAccess AccessOf(const Found& found);
  storage::Result<bool> IsFor(const Found& found, const Bearer& bearer);
  storage::Result<Standing> StandingOf(const storage::Reference& record);
  static MessagePart PartOf(const storage::Reference& record);

  /// What a URL in a message names, if it is one of ours, either kind, that is good for this bearer. Nothing
  /// is counted.
  storage::Result<std::optional<Named>> Look(std::string_view url, const Bearer& bearer);
  /// UrlAuthority::NoteFetches().
  storage::Result<Fallen> NoteFetches(const std::vector<Named>& all) { return authority_.NoteFetches(all); }
  /// It names something of this server, as far as its scheme and authority say: it need not be right beyond
  /// these. So that what is broken is told, and not taken for a reference to somewhere else.
  bool IsOurs(std::string_view url) const;

  std::int64_t Now() const;

 private:
  storage::Result<storage::schema::ReferenceRow> RowOf(const Wish& wish, storage::AccountId issuer);
  /// What one call knows of parts by now, and has done: a request of a few octets names large ones often.
  struct Work {
    std::uint64_t hashed = 0;
    std::uint64_t decoded = 0;  ///< or looked into
    /// By folder, UID, section and, within a CPIM, the extent.
    using PartName = std::tuple<storage::FolderRef, storage::Uid, std::string, std::uint32_t, std::uint32_t>;
    std::map<PartName, std::uint64_t> decoded_sizes;
    std::map<PartName, CpimInsidePtr> cpims;
  };
  storage::Result<> Decode(std::uint64_t octets);
  storage::Result<> Hash(std::uint64_t octets);
  storage::Result<std::unique_ptr<PartReader>> Open(const Wish& wish);
  storage::Result<Issued> Describe(const Wish& wish, storage::schema::ReferenceRow& row);
  struct Sought {
    std::size_t index;  ///< among the names
    std::optional<storage::FolderRef> folder;
  };
  storage::Result<> FindByObject(storage::AccountId owner,
                                 const std::multimap<storage::ObjectId, Sought>& sought,
                                 std::vector<Place>& out);
  /// The IMAP URL without its verifier. kInvalidArgument: no URL can say it, or none that is short enough.
  storage::Result<std::string> RumpOf(const storage::AccountInfo& owner, const Wish& wish,
                                      std::int64_t expires, const protocol::UrlAccess& access);
  /// Of `wish`, by the folder's key, now that the record has an id.
  void Sign(const Wish& wish, std::string_view key, const std::string& rump, Issued& issued);

  storage::MailStore& store_;
  const ReferenceSettings& settings_;
  const Clock& clock_;
  UrlAuthority authority_;
  Work work_;
};

}  // namespace server::references
