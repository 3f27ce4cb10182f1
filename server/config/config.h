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
  std::uint32_t block_cache_mib = 384;
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
  std::string server_name;  ///< in IMAP URLs; empty: this machine's
};

struct Tls {
  std::string certificate;  ///< PEM file with the chain; empty: no TLS
  std::string key;
  std::string minimum_version = "1.2";
  std::string ciphers;        ///< TLS 1.2; empty: a built-in list
  std::string cipher_suites;  ///< TLS 1.3; empty: OpenSSL's
  bool session_tickets = true;
  std::string client_ca;   ///< PEM file: whose client certificates are believed (EXTERNAL); empty: none
  bool psk = false;        ///< TLS by pre-shared keys too (`cms-admin psk`)
  std::string client_crl;  ///< PEM file: which of them are revoked
};

/// How clients prove who they are.
struct Auth {
  bool scram_without_tls = false;           ///< else SCRAM needs TLS, as PLAIN does
  bool scram_sha1 = false;                  ///< SCRAM-SHA-1 too, for old clients
  std::uint32_t scram_iterations = 15'000;  ///< of passwords that are set from now on (RFC 7677 §4)
};

/// Tokens of an authorization server, for OAUTHBEARER.
struct Oauth {
  std::string jwks;               ///< file with its keys; empty: no tokens are taken
  std::string issuer;             ///< "iss" must be this
  std::string audience;           ///< "aud" must be, or hold, this
  std::string address = "{sub}";  ///< whom a token is about: text with one claim's name in braces
  seconds skew{60};               ///< by which clocks may differ
  seconds max_lifetime{86'400};   ///< of a token, from now to its end
};

/// A subscriber database that knows the users' passwords (server/auth/external_verifier.h).
struct Verifier {
  std::string url;              ///< https, or http on this machine; empty: the store's own accounts
  std::string ca;               ///< PEM file: who vouches for it; empty: the system's authorities
  std::string token_file;       ///< its first line is sent as a bearer token; empty: none
  seconds timeout{2};           ///< for one question, from connecting to the whole answer
  std::uint32_t at_once = 256;  ///< questions; of one network a quarter
  std::uint32_t failures = 5;   ///< in a row, after which none is asked for `pause`
  seconds pause{10};
};

struct Http {
  std::string operator_socket = "/run/cmsd/operator.sock";
  std::string monitor_address = "127.0.0.1";
  std::uint16_t monitor_port = 0;  ///< 0: no health and metrics over TCP
};

struct Limits {
  std::uint32_t connections = 10'000;
  std::uint32_t connections_per_address = 1'000;
  std::uint32_t connections_per_network = 2'000;  ///< IPv4 /24, IPv6 /64; this machine's own are none
  std::uint32_t connections_per_account = 500;    ///< logged in; 0: any number
  seconds login_timeout{60};                      ///< from the greeting to a successful login
  seconds idle_timeout{30 * 60};                  ///< RFC 3501 §5.4: not below 30 minutes
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

/// What wrong passwords cost (server/auth/guess_guard.h). 0: they lock out nobody.
struct Guessing {
  std::uint32_t per_name = 10;       ///< from one address with one name
  std::uint32_t per_address = 100;   ///< IPv4 address, IPv6 /64
  std::uint32_t per_network = 1000;  ///< IPv4 /24, IPv6 /64
  seconds half_life{300};            ///< in which a count halves, and for which a lock lasts
};

/// What Participating Functions do in users' accounts.
struct AuditFile {
  std::string file;  ///< empty: it is not written down
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

/// With whom users may share their folders (RFC 4314).
enum class Sharing { kNobody, kNamed, kAnyone };

/// What deployments differ in (design.md 6).
struct Profile {
  std::string default_folder = "Default";
  std::string admin_contact;  ///< URI; METADATA's /shared/admin (RFC 5464 §3.2.1.1); empty: none
  bool owner_may_write_default = true;
  std::string permanent_root;  ///< empty: none
  bool user_folders_only_below_root = false;
  bool strict = false;                                               ///< malformed objects are refused
  protocol::cpm::Layout object_layout = protocol::cpm::Layout::k2x;  ///< of what is recorded
  Sharing sharing = Sharing::kNamed;
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

/// IMAP URLs that are good without a password (RFC 4467).
struct Urlauth {
  bool authuser = false;   ///< for any user who is logged in
  bool anonymous = false;  ///< for anybody
};

/// The reference service over HTTP; off without an address to listen on.
struct References {
  std::vector<Listen> listen;    ///< kImplicit, or kNone on this machine's own addresses
  std::string base_url;          ///< of its URLs: "https://cms.example.net:8443"; empty: of the first address
  seconds lifetime{7 * 86'400};  ///< of a reference whose request does not say
  seconds max_lifetime{30 * 86'400};  ///< the furthest expiry
  std::uint32_t per_account = 10'000;
  std::uint32_t message_mib = 16;   ///< of a message to be resolved, and of what comes of it
  std::uint32_t resolve_mib = 256;  ///< of all of these in memory at once; one account's: twice message_mib
  std::uint32_t connections = 4096;
  std::uint32_t connections_per_address = 2048;
  std::uint32_t connections_per_network = 4096;  ///< IPv4 /24, IPv6 /64; this machine's own are none
};

/// Participating Functions that act for users (RFC 4616 authzid).
struct Pf {
  std::vector<std::string> act_for;  ///< patterns on canonical addresses
  bool may_set_quota = false;        ///< of these users, with SETQUOTA (RFC 9208)
};

struct Config {
  Store store;
  Imap imap;
  Tls tls;
  Auth auth;
  Oauth oauth;
  Verifier verifier;
  Http http;
  Limits limits;
  Guessing guessing;
  Log log;
  Threads threads;
  Profile profile;
  Urlauth urlauth;
  References references;
  Pf pf;
  AuditFile audit;
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
