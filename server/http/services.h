#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/config/config.h"
#include "server/net/storage_executor.h"
#include "storage/store/mail_store.h"

namespace server::http {

/// A number for GET /metrics, read when it is asked for. The name is Prometheus's: "cmsd_connections".
struct Gauge {
  std::string name;
  std::string help;
  std::function<double()> read;
};

/// What the resources work with. All of it outlives the server.
struct Services {
  storage::MailStore& store;
  net::StorageExecutor& storage;
  net::StorageExecutor& passwords;
  const config::Profile& profile;
  std::uint64_t append_limit = 1U << 30;  ///< octets of one imported message
  std::vector<Gauge> gauges;
};

}  // namespace server::http
