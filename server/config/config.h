#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "protocol/cpm/layout.h"
#include "protocol/model/special_use.h"

/// What the operator decides, read once at start. etc/cmsd.toml explains every key; a test compares its
/// values with the defaults here.
namespace server::config {

using std::chrono::seconds;

struct Store {
  std::string path = "/var/lib/cmsd";
  std::uint32_t block_cache_mib = 256;
  std::uint32_t write_buffer_mib = 64;  ///< of all tables together
};

enum class ListenTls { kNone, kStartTls, kImplicit };

struct Listen {
  std::string address;
  std::uint16_t port = 0;
  ListenTls tls = ListenTls::kStartTls;
};

enum class PlaintextLogin {
  kNever,     ///< LOGINDISABLED until TLS is up (RFC 3501 §6.2.3)
  kLoopback,  ///< peers on this machine may log in without TLS
};

struct Imap {
  std::vector<Listen> listen = {{"0.0.0.0", 143, ListenTls::kStartTls},
                                {"0.0.0.0", 993, ListenTls::kImplicit}};
  PlaintextLogin allow_plaintext_login = PlaintextLogin::kNever;
};

struct Tls {
  std::string certificate;  ///< PEM file with the chain; empty: no TLS
  std::string key;
  std::string minimum_version = "1.2";
  std::string ciphers;        ///< TLS 1.2; empty: a built-in list
  std::string cipher_suites;  ///< TLS 1.3; empty: OpenSSL's
  bool session_tickets = true;
};

struct Http {
  std::string operator_socket = "/run/cmsd/operator.sock";
  std::string monitor_address = "127.0.0.1";
  std::uint16_t monitor_port = 0;  ///< 0: no health and metrics over TCP
};

struct Limits {
  std::uint32_t connections = 10'000;
  std::uint32_t connections_per_address = 1'000;
  seconds login_timeout{60};        ///< from the greeting to a successful login
  seconds idle_timeout{30 * 60};    ///< RFC 3501 §5.4: not below 30 minutes
  seconds command_timeout{5 * 60};  ///< from a command's first octet to its last, literals of APPEND apart
  seconds literal_stall{60};        ///< in which a message must bring 4096 octets
  seconds write_stall{60};          ///< in which a client must take 4096 octets
  seconds shutdown_grace{20};       ///< for running commands, on SIGTERM
  std::uint32_t append_mib = 1024;  ///< of one message: APPENDLIMIT (RFC 7889)
  std::uint32_t folders_per_account = 20'000;
  std::uint32_t metadata_value_octets = 64 * 1024;  ///< of one METADATA value; RFC 5464 §4.1: at least 1024
  std::uint32_t metadata_entries = 100;           ///< of a mailbox, or the server; RFC 5464 §4.1: at least 10
  std::uint32_t metadata_kib_per_account = 4096;  ///< names and values
};

struct Log {
  std::string level = "info";
  std::string file;  ///< empty: standard error
};

struct Threads {
  std::uint32_t reactors = 0;  ///< 0: one a core
  std::uint32_t storage = 64;
  std::uint32_t passwords = 0;  ///< 0: one a core
};

/// Days that messages are kept in folders of a kind; 0: for ever.
struct Retention {
  std::uint32_t inbox = 0;
  std::uint32_t user = 0;
  std::uint32_t conversation = 0;
  std::uint32_t session = 0;
};

struct ProfileFolder {
  std::string name;
  protocol::SpecialUse use = protocol::SpecialUse::kNone;
};

/// What deployments differ in (design.md 6).
struct Profile {
  std::string default_folder = "Default";
  std::string admin_contact;  ///< URI; METADATA's /shared/admin (RFC 5464 §3.2.1.1); empty: none
  bool owner_may_write_default = true;
  std::string permanent_root;  ///< empty: none
  bool user_folders_only_below_root = false;
  bool strict = false;                                               ///< malformed objects are refused
  protocol::cpm::Layout object_layout = protocol::cpm::Layout::k2x;  ///< of what is recorded
  std::uint32_t max_deferred = 30;  ///< days: the furthest expiry of a deferred message
  seconds deleted_grace{0};         ///< from \Deleted to the purge; 0: when a client says so
  Retention retention;
  std::uint32_t keep_vanished = 30;  ///< days for which expunged messages are remembered, for QRESYNC
  std::vector<ProfileFolder> folders = {{"Drafts", protocol::SpecialUse::kDrafts},
                                        {"Sent", protocol::SpecialUse::kSent},
                                        {"Trash", protocol::SpecialUse::kTrash},
                                        {"Junk", protocol::SpecialUse::kJunk},
                                        {"Archive", protocol::SpecialUse::kArchive}};
};

/// Participating Functions that act for users (RFC 4616 authzid).
struct Pf {
  std::vector<std::string> act_for;  ///< patterns on canonical addresses
};

struct Config {
  Store store;
  Imap imap;
  Tls tls;
  Http http;
  Limits limits;
  Log log;
  Threads threads;
  Profile profile;
  Pf pf;
};

/// One thing that is wrong. `line` is 0 where no line of the file is to blame.
struct Problem {
  std::uint32_t line = 0;
  std::string text;
};

/// "etc/cmsd.toml:12: limits.connections: must be 1 to 1000000".
std::string Format(const Problem& problem, std::string_view file);

/// TOML -> Config; all problems, in the order of the file. Unknown keys are problems. Files that the
/// configuration names are not looked at.
tl::expected<Config, std::vector<Problem>> Parse(std::string_view text);

/// Parse() of a file; a file that cannot be read is a problem.
tl::expected<Config, std::vector<Problem>> Load(const std::string& path);

}  // namespace server::config
