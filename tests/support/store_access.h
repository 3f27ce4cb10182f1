#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "protocol/model/ascii.h"
#include "storage/store/mail_store.h"

// Short ways to use a MailStore in tests.

namespace tests {

/// The value; an error ends the test.
template <class T>
T Must(storage::Result<T> result) {
  if (!result) {
    throw std::runtime_error(
        fmt::format("error {}: {}", static_cast<int>(result.error().code), result.error().detail));
  }
  return *std::move(result);
}
inline void Must(storage::Result<> result) {
  if (!result) {
    throw std::runtime_error(
        fmt::format("error {}: {}", static_cast<int>(result.error().code), result.error().detail));
  }
}

/// The error's code; nullopt if there is none.
template <class T>
std::optional<storage::Errc> ErrorOf(const storage::Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().code);
}

inline protocol::FlagSet Flags(const std::vector<std::string>& names) {
  protocol::FlagSet out;
  for (const auto& name : names) out.Insert(std::string_view(name));
  return out;
}

inline storage::UidSet Uids(std::initializer_list<std::uint32_t> uids) {
  storage::UidSet out;
  for (const auto uid : uids) out.Add(storage::Uid{uid});
  return out;
}
inline storage::UidSet UidRange(std::uint32_t first, std::uint32_t last) {
  return {storage::Uid{first}, storage::Uid{last}};
}

inline std::vector<storage::KeyedFolder> KeyedFolders(storage::MailStore& store, storage::AccountId account,
                                                      std::string_view path) {
  std::vector<storage::KeyedFolder> out;
  Must(store.FindKeyed(account, path, [&](const storage::KeyedFolder& folder) {
    out.push_back(folder);
    return true;
  }));
  return out;
}

inline storage::AccountId CreateAccount(storage::MailStore& store, std::string address = "tel:+1") {
  return Must(store.CreateAccount({.address = std::move(address)}));
}

/// A message of exactly `size` octets; different seeds give different ones.
inline std::string MessageOctets(std::uint32_t seed, std::size_t size) {
  std::string out = fmt::format("Message-ID: <{}@test>\r\nSubject: {}\r\n\r\n", seed, seed);
  while (out.size() < size) out += fmt::format("{:08x} octets of {}\r\n", out.size(), seed);
  out.resize(size, '.');
  return out;
}

inline storage::NewMessage NewMessage(storage::MailStore& store, storage::AccountId account,
                                      std::string_view octets, const std::vector<std::string>& flags = {},
                                      std::optional<protocol::InternalDate> date = {}) {
  storage::NewMessage message{Must(store.Stage(account)), Flags(flags), date};
  Must(message.body.Write(octets));
  return message;
}

/// One command's worth of messages.
inline storage::Result<storage::AppendResult> Append(storage::MailStore& store, storage::AccountId account,
                                                     std::string_view path,
                                                     const std::vector<std::string>& bodies,
                                                     const std::vector<std::string>& flags = {},
                                                     storage::Origin origin = {}) {
  std::vector<storage::NewMessage> messages;
  for (const auto& octets : bodies) {
    ASSIGN_OR_RETURN(auto body, store.Stage(account));
    RETURN_IF_ERROR(body.Write(octets));
    messages.push_back({std::move(body), Flags(flags), {}});
  }
  return store.Append(account, path, std::move(messages), origin);
}

/// `count` small messages, a hundred a command.
inline storage::FolderRef Fill(storage::MailStore& store, storage::AccountId account, std::string_view path,
                               std::uint32_t count, const std::vector<std::string>& flags = {}) {
  for (std::uint32_t done = 0; done < count;) {
    std::vector<std::string> bodies;
    for (; done < count && bodies.size() < 100; ++done) bodies.push_back(MessageOctets(done, 60));
    Must(Append(store, account, path, bodies, flags));
  }
  return Must(store.GetFolder(account, path)).ref;
}

/// Names in lower case, so that spelling does not matter.
inline std::set<std::string> FlagNames(const storage::FlagBits& bits, const storage::KeywordTable& keywords) {
  std::set<std::string> out;
  for (int i = 0; i < protocol::kSystemFlagCount; ++i) {
    const auto flag = static_cast<protocol::SystemFlag>(i);
    if (bits.Has(flag)) out.insert(protocol::ascii::Lower(Name(flag)));
  }
  for (std::size_t i = 0; i < 64; ++i) {
    if ((bits.keywords >> i & 1) == 0) continue;
    out.insert(i < keywords.size() ? protocol::ascii::Lower(keywords[i]) : "(keyword without a name)");
  }
  return out;
}

inline std::map<std::uint32_t, std::set<std::string>> FlagsOf(storage::MailStore& store,
                                                              storage::FolderRef folder) {
  std::map<std::uint32_t, std::set<std::string>> out;
  const auto reader = Must(store.Read(folder));
  Must(reader.States(UidRange(1, 0xffffffff), [&](const storage::MessageState& state) {
    out[state.uid.value] = FlagNames(state.flags, *reader.keywords());
  }));
  return out;
}

/// Everything in a folder, as octets by UID.
inline std::map<std::uint32_t, std::string> OctetsOf(storage::MailStore& store, storage::FolderRef folder) {
  std::map<std::uint32_t, std::string> out;
  const auto reader = Must(store.Read(folder));
  Must(reader.Rows(UidRange(1, 0xffffffff), [&](storage::Uid uid, const storage::MessageRow& row) {
    out[uid.value] = row.size == 0 ? "" : Must(reader.Octets(row.object, 0, row.size));
    return true;
  }));
  return out;
}

}  // namespace tests
