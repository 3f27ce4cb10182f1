#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/imap/url.h"
#include "server/clock.h"
#include "storage/store/mail_store.h"

namespace server::references {

/// What a deployment decides.
struct UrlPolicy {
  std::string host = "localhost";  ///< this server's name in URLs; ports are not compared
  bool authuser = false;           ///< whether URLs may be good for any user who is logged in
  bool anonymous = false;          ///< or for anybody
};

/// A message, and which of its octets.
struct MessagePart {
  storage::FolderRef folder;
  storage::Uid uid;
  protocol::Section section;
  std::optional<protocol::UrlPartial> partial;
  /// Octets of the section without transfer encoding, if they have been counted before.
  std::optional<std::uint64_t> decoded_size;
};

/// What the URL names in this folder.
MessagePart PartOf(const protocol::ImapUrl& url, storage::FolderRef folder);

/// What a reference names, and which one it is.
struct Named {
  MessagePart part;
  storage::AccountId owner;
  std::optional<std::uint64_t> recorded;  ///< the reference's id in the owner's account, if it is on record
  /// Who reads what is temporary until its owner has (PartReader::deferred()); nullopt: it is not.
  std::optional<storage::Actor> accessed_by{};
};

/// Who is logged in: in whose account, and by which role.
struct Bearer {
  storage::AccountId account;
  storage::Role role = storage::Role::kUser;
  /// Of role submit, if it has said so: who sends the message that it has. Nobody's id if there is no such
  /// user.
  std::optional<storage::AccountId> sender{};
};

/// Of several that are good together or not at all, which one is good no more, by its index; nullopt: all are
/// good.
using Fallen = std::optional<std::size_t>;

/// Authorises URLs and redeems them: the rules of RFC 4467 §6 and §7, here and nowhere else.
///
/// Lifetime   one command; what it refers to outlives it. Calls block.
class UrlAuthority {
 public:
  UrlAuthority(storage::MailStore& store, const UrlPolicy& policy, const Clock& clock)
      : store_(store), policy_(policy), clock_(clock) {}

  /// One of the two: the URL with its token, or why there is none, for the client.
  struct Authorised {
    std::string url;
    std::string refusal;
  };
  /// `rump`: a URL that ends with ";URLAUTH=<access>".
  storage::Result<Authorised> Authorise(std::string_view rump, const Bearer& bearer);

  /// What an authorised URL names, if it is good for this bearer now. Nullopt does not say why not, and takes
  /// as long whether or not its user, mailbox or key exist (§6). Whether the message is there is not looked
  /// at.
  storage::Result<std::optional<Named>> Look(std::string_view url, const Bearer& bearer);
  /// Counts it as fetched, if it is on record, and as accessed; false: it is good no more. To be called when
  /// the octets can be had and go out next: one that may be used once is not to be used up by a failure. A
  /// store that takes no writes is read on: what may be fetched often and still stands is not counted then.
  storage::Result<bool> NoteFetch(const Named& named);
  /// The same of several that go together: all or none, and once if one is among them twice.
  storage::Result<Fallen> NoteFetches(const std::vector<Named>& all);

  /// For who does not give them out but makes something of them: counts them as NoteFetches() does, of a
  /// store that takes no writes none; then it is made, and then they have been accessed.
  storage::Result<Fallen> CountFetches(const std::vector<Named>& all);
  storage::Result<Fallen> NoteAccess(const std::vector<Named>& all);
  /// Nothing came of what has been counted.
  storage::Result<> TakeBackFetches(const std::vector<Named>& all);
  /// RFC 4467 §3: whether the access identifier is for this bearer.
  storage::Result<bool> IsFor(const protocol::UrlAccess& access, const Bearer& bearer);

  /// It names this server.
  bool IsHere(const protocol::ImapUrl& url) const;

  /// It is relative, or of this server and this user.
  storage::Result<bool> IsOwn(const protocol::ImapUrl& url, storage::AccountId account);

 private:
  storage::Result<std::optional<storage::AccountInfo>> OwnerOf(const protocol::ImapUrl& url);
  storage::Result<std::string> CheckMessage(const protocol::ImapUrl& url,
                                            const storage::FolderStatus& folder);
  storage::Result<Fallen> StandUncounted(const std::vector<Named>& all);
  storage::Result<> TakeBack(storage::AccountId owner, const std::vector<std::uint64_t>& ids);
  /// Whose name one is, from what has been looked up; of no name by default.
  struct Known {
    std::string_view name;
    storage::AccountId account;
  };
  storage::Result<bool> IsFor(const protocol::UrlAccess& access, const Bearer& bearer, const Known& known);
  storage::Result<bool> IsUser(std::string_view name, storage::AccountId account, const Known& known);
  std::int64_t Now() const;  ///< Unix seconds

  storage::MailStore& store_;
  const UrlPolicy& policy_;
  const Clock& clock_;
};

}  // namespace server::references
