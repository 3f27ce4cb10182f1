#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/net/asio.h"
#include "storage/store/folder.h"

namespace server::sessions {

/// One session as an operator sees it, at the moment it was asked.
struct SessionInfo {
  std::uint64_t id = 0;  ///< "conn=" of the log
  std::string peer;
  std::string tls;  ///< empty: not encrypted
  bool compressed = false;
  storage::AccountId account;                ///< 0: not logged in
  std::string address;                       ///< of the account
  storage::AccountId actor;                  ///< 0: nobody acts for another's account here
  std::string acts_for;                      ///< that account's address; also while the login is under way
  std::optional<storage::FolderRef> folder;  ///< selected
  std::string doing;                         ///< the command that runs; empty: it waits for one
  std::chrono::seconds connected{0};         ///< how long
  std::chrono::seconds silent{0};            ///< since the client last said something
  std::uint64_t octets_in = 0;
  std::uint64_t octets_out = 0;
};

/// What SessionList knows of a connection.
///
/// Thread     the connection's.
class ListedSession {
 public:
  virtual SessionInfo Info() const = 0;
  /// The session says BYE at the next chance: at once if it waits for its client, after the command
  /// otherwise.
  virtual void Kick() = 0;

 protected:
  ~ListedSession() = default;

 private:
  friend class SessionList;
  ListedSession* newer_ = nullptr;
  ListedSession* older_ = nullptr;
};

/// All connections, each known on its own reactor's thread only, which is why asking is a hop to each.
///
/// Lifetime   outlives the connections, also those that die with their reactor. The reactors outlive whoever
///            asks.
/// Thread     any, for what is awaited; Enter() and Leave() the connection's.
class SessionList {
 public:
  /// One on which connections will live; before any does.
  void Add(asio::io_context& reactor) { shards_.push_back({&reactor}); }

  /// `executor` is the connection's; it leaves before it ends.
  void Enter(ListedSession& session, const asio::any_io_executor& executor);
  void Leave(ListedSession& session, const asio::any_io_executor& executor);

  /// In the order of their ids, `limit` at most, with ids above `after`, those that `wanted` takes. Resumes
  /// on the caller's executor; `wanted` is called on the reactors' threads.
  using Filter = std::function<bool(const SessionInfo&)>;
  asio::awaitable<std::vector<SessionInfo>> List(std::uint64_t after, std::size_t limit, Filter wanted);
  /// Of those that `wanted` takes: how many there were.
  asio::awaitable<std::size_t> Kick(Filter wanted);

 private:
  struct Shard {
    asio::io_context* reactor;
    ListedSession* newest = nullptr;
  };
  Shard& ShardOf(const asio::any_io_executor& executor);
  /// `visit` on the thread of each reactor in turn, with each of its sessions.
  asio::awaitable<void> ForEach(const std::function<void(ListedSession&)>& visit);

  std::vector<Shard> shards_;
};

}  // namespace server::sessions
