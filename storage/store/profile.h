#pragma once

#include <cstdint>
#include <string>

#include "protocol/cpm/layout.h"

namespace storage {

/// How long messages are kept in folders of a kind, in seconds since they came into the folder; 0: for ever.
struct Retention {
  std::int64_t inbox = 0;
  std::int64_t user = 0;
  std::int64_t conversation = 0;
  std::int64_t session = 0;

  bool any() const { return inbox != 0 || user != 0 || conversation != 0 || session != 0; }
};

/// With whom users may share their folders (RFC 4314). On disk: never.
enum class Sharing : std::uint8_t {
  kNobody,  ///< as in RCS 5.1
  kNamed,   ///< users who are named
  kAnyone,  ///< also everybody at once: `anyone`, `authenticated`
};

/// What deployments differ in, as far as the store's rules depend on it (design.md 6).
struct Profile {
  /// Path of the default system folder, which holds conversation history folders and nothing else (spec note
  /// 1.1). Made with each account, which keeps it there whatever this says later. Empty: accounts have none,
  /// and all folders are user folders (a plain mail store; no configuration says so).
  std::string default_folder = "Default";
  /// The owner may CREATE and APPEND below it, as clients do that upload SMS and MMS; false: the
  /// Participating Function alone (RCS 5.1).
  bool owner_may_write_default = true;
  /// Path of the folder for what the user keeps for good, "RCSMessageStore" in RCS (spec note 1.3). Made with
  /// each account; empty: none.
  std::string permanent_root;
  /// Users make folders, and move folders to, below their permanent root only.
  bool user_folders_only_below_root = false;
  /// APPEND refuses an object that is malformed as the kind of object it claims to be; else it is stored and
  /// marked.
  bool strict = false;
  /// How the store writes the objects that it records itself; it reads all.
  protocol::cpm::Layout object_layout = protocol::cpm::Layout::k2x;
  /// What lists give already they go on giving.
  Sharing sharing = Sharing::kNamed;
  /// How to reach whoever runs the server, a URI ("mailto:", "tel:"): the entry /shared/admin (RFC 5464
  /// §3.2.1.1). Empty: there is none.
  std::string admin_contact;

  /// The furthest expiry of a deferred message, in seconds from its delivery.
  std::int64_t max_deferred = 30 * 24 * 60 * 60;
  /// Seconds after which a message with \Deleted is expunged; 0: when a client says so.
  std::int64_t deleted_grace = 0;
  Retention retention;
  /// Seconds for which it is known at which modseq a message was expunged (RFC 7162 §5.3): a client that was
  /// away for longer is told of all that is not there.
  std::int64_t keep_vanished = 30 * 24 * 60 * 60;
};

}  // namespace storage
