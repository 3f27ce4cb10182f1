#pragma once

#include <string>

namespace storage {

/// What deployments differ in, as far as the store's rules depend on it (design.md 6).
struct Profile {
  /// Path of the default system folder, which holds conversation history folders and nothing else (spec note
  /// 1.1). Made with each account.
  std::string default_folder = "Default";
  /// The owner may CREATE and APPEND below it, as clients do that upload SMS and MMS; false: the
  /// Participating Function alone (RCS 5.1).
  bool owner_may_write_default = true;
  /// How to reach whoever runs the server, a URI ("mailto:", "tel:"): the entry /shared/admin (RFC 5464
  /// §3.2.1.1). Empty: there is none.
  std::string admin_contact;
};

}  // namespace storage
