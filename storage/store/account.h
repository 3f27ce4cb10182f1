#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/model/ids.h"
#include "protocol/model/special_use.h"
#include "protocol/model/uid_set.h"
#include "storage/schema/quota_limits.h"

namespace storage {

using protocol::AccountId;
using protocol::FolderId;
using protocol::ModSeq;
using protocol::ObjectId;
using protocol::Uid;
using protocol::UidRange;
using protocol::UidSet;
using protocol::UidValidity;

/// On disk: append only.
enum class Role : std::uint8_t { kUser = 0, kPf = 1, kSubmit = 2, kOperator = 3 };
enum class AccountStatus : std::uint8_t {
  kActive = 0,
  kDisabled = 1,  ///< kept, but nobody logs in
  kDeleting = 2,  ///< rows are being removed; as good as gone
};

struct InitialFolder {
  std::string name;
  protocol::SpecialUse use = protocol::SpecialUse::kNone;
};

struct NewAccount {
  std::string address;               ///< canonical (protocol/cpm/address.h)
  std::vector<std::string> aliases;  ///< canonical
  Role role = Role::kUser;
  std::string password_hash;  ///< "$argon2id$…" or "$6$…"; empty: no login by password
  QuotaLimits quota;
  std::vector<std::string> act_for;    ///< of role pf: see MailStore::ChangeActFor
  std::vector<InitialFolder> folders;  ///< made with the account; INBOX need not be named
};

struct AccountInfo {
  AccountId id;
  std::string address;
  std::vector<std::string> aliases;
  Role role = Role::kUser;
  AccountStatus status = AccountStatus::kActive;
  std::string password_hash;
  QuotaLimits quota;
  std::uint64_t used_octets = 0;
  std::uint64_t used_messages = 0;
  std::uint32_t folders = 0;
  std::int64_t created = 0;          ///< Unix seconds
  ModSeq modseq;                     ///< of the account's last change
  std::vector<std::string> act_for;  ///< of role pf: whom it may act for
};

/// What an account holds, in the units of QuotaLimits.
struct QuotaUse {
  std::uint64_t octets = 0;
  std::uint64_t messages = 0;
  std::uint64_t folders = 0;
  std::uint64_t annotation_octets = 0;
  friend bool operator==(const QuotaUse&, const QuotaUse&) = default;
};

/// RFC 9208, of an account as of one moment.
struct Quota {
  QuotaUse use;
  QuotaLimits own;     ///< the account's
  QuotaLimits limits;  ///< those in force: with what the store lets no account exceed
};

}  // namespace storage
