#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <tuple>

#include <boost/asio/ip/address.hpp>

#include "protocol/model/ascii.h"
#include "protocol/model/mailbox_name.h"
#include "server/config/config.h"
#include "server/config/section.h"

namespace server::config {
namespace {

constexpr std::int64_t kDay = 24 * 60 * 60;

void ReadAddress(Section& in, std::string_view key, std::string& out) {
  in.Text(key, out);
  boost::system::error_code error;
  boost::asio::ip::make_address(out, error);
  if (error) in.Report(key, "must be an IP address; names are not looked up");
}

void ReadStore(Section in, Store& out) {
  in.Text("path", out.path);
  if (out.path.empty()) in.Report("path", "must not be empty");
  in.Number("block_cache_mib", out.block_cache_mib, 8, 1 << 20);
  in.Number("write_buffer_mib", out.write_buffer_mib, 8, 1 << 16);
  in.Finish();
}

/// What stands as the host in a URL; empty: that of the machine.
bool IsHostName(std::string_view name) {
  return name.size() <= 255 && std::ranges::all_of(name, [](char c) {
           return protocol::ascii::IsAlpha(c) || protocol::ascii::IsDigit(c) ||
                  std::string_view("-.[:]").find(c) != std::string_view::npos;
         });
}

void ReadImap(Section in, Imap& out) {
  std::vector<Listen> listen;
  const bool given = in.Tables("listen", [&](Section& entry) {
    Listen& one = listen.emplace_back();
    entry.Require("port");
    entry.Require("address");
    if (listen.back().address.empty()) one.address = "0.0.0.0";
    ReadAddress(entry, "address", one.address);
    entry.Number("port", one.port, 0, 65535);
    entry.Choice(
        "tls", one.tls,
        {{"none", ListenTls::kNone}, {"starttls", ListenTls::kStartTls}, {"implicit", ListenTls::kImplicit}});
  });
  if (given) out.listen = std::move(listen);
  in.Choice("allow_plaintext_login", out.allow_plaintext_login,
            {{"never", PlaintextLogin::kNever}, {"loopback", PlaintextLogin::kLoopback}});
  in.Text("server_name", out.server_name);
  if (!IsHostName(out.server_name)) in.Report("server_name", "must be a host name or an IP address");
  in.Finish();
}

void ReadTls(Section in, Tls& out) {
  in.Text("certificate", out.certificate);
  in.Text("key", out.key);
  in.Choice("minimum_version", out.minimum_version,
            {{"1.2", std::string("1.2")}, {"1.3", std::string("1.3")}});
  in.Text("ciphers", out.ciphers);
  in.Text("cipher_suites", out.cipher_suites);
  in.Bool("session_tickets", out.session_tickets);
  if (out.certificate.empty() != out.key.empty())
    in.Report(out.key.empty() ? "certificate" : "key", "certificate and key go together");
  in.Text("client_ca", out.client_ca);
  in.Text("client_crl", out.client_crl);
  in.Bool("psk", out.psk);
  if (out.client_ca.empty() && !out.client_crl.empty())
    in.Report("client_crl", "means nothing without client_ca");
  in.Finish();
}

void ReadAuth(Section in, Auth& out) {
  in.Bool("scram_without_tls", out.scram_without_tls);
  in.Bool("scram_sha1", out.scram_sha1);
  in.Number("scram_iterations", out.scram_iterations, 4096, 1'000'000);
  in.Finish();
}

void ReadOauth(Section in, Oauth& out) {
  in.Text("jwks", out.jwks);
  in.Text("issuer", out.issuer);
  in.Text("audience", out.audience);
  in.Text("address", out.address);
  in.Seconds("skew", out.skew, 0, 600);
  in.Seconds("max_lifetime", out.max_lifetime, 60, 366 * kDay);
  if (!out.jwks.empty() && out.issuer.empty()) in.Report("issuer", "must be given with jwks");
  if (!out.jwks.empty() && out.audience.empty()) in.Report("audience", "must be given with jwks");
  const auto open = out.address.find('{');
  const auto close = out.address.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open + 2 ||
      out.address.find_first_of("{}", close + 1) != std::string::npos)
    in.Report("address", "must hold one claim's name in braces, such as \"tel:{phone_number}\"");
  in.Finish();
}

void ReadVerifier(Section in, Verifier& out) {
  in.Text("url", out.url);
  in.Text("ca", out.ca);
  in.Text("token_file", out.token_file);
  in.Seconds("timeout", out.timeout, 1, 30);
  in.Number("at_once", out.at_once, 1, 10'000);
  in.Number("failures", out.failures, 1, 1000);
  in.Seconds("pause", out.pause, 1, 3600);
  in.Finish();
}

void ReadHttp(Section in, Http& out) {
  // The length of sockaddr_un::sun_path without its NUL.
  constexpr std::size_t kMaxSocketPath = 107;
  in.Text("operator_socket", out.operator_socket);
  if (out.operator_socket.size() > kMaxSocketPath)
    in.Report("operator_socket", "must have at most 107 octets");
  ReadAddress(in, "monitor_address", out.monitor_address);
  in.Number("monitor_port", out.monitor_port, 0, 65535);
  in.Finish();
}

void ReadLimits(Section in, Limits& out) {
  in.Number("connections", out.connections, 1, 1'000'000);
  in.Number("connections_per_address", out.connections_per_address, 1, 1'000'000);
  in.Number("connections_per_network", out.connections_per_network, 1, 1'000'000);
  in.Number("connections_per_account", out.connections_per_account, 0, 1'000'000);
  in.Seconds("login_timeout", out.login_timeout, 1, 3600);
  in.Seconds("idle_timeout", out.idle_timeout, 30 * 60, kDay);  // RFC 3501 §5.4
  in.Seconds("command_timeout", out.command_timeout, 1, kDay);
  in.Seconds("literal_stall", out.literal_stall, 1, 3600);
  in.Seconds("write_stall", out.write_stall, 1, 3600);
  in.Seconds("shutdown_grace", out.shutdown_grace, 0, 600);
  in.Number("append_mib", out.append_mib, 1, 4095);
  in.Number("folders_per_account", out.folders_per_account, 10, 1'000'000);
  in.Number("metadata_value_octets", out.metadata_value_octets, 1024, 65536);
  in.Number("metadata_entries", out.metadata_entries, 10, 10'000);
  in.Number("metadata_kib_per_account", out.metadata_kib_per_account, 64, 64 * 1024);
  in.Finish();
}

void ReadGuessing(Section in, Guessing& out) {
  in.Number("per_name", out.per_name, 0, 1'000'000);
  in.Number("per_address", out.per_address, 0, 1'000'000);
  in.Number("per_network", out.per_network, 0, 1'000'000);
  in.Seconds("half_life", out.half_life, 1, kDay);
  in.Finish();
}

void ReadLog(Section in, Log& out) {
  using Word = std::pair<std::string_view, std::string>;
  in.Choice("level", out.level,
            {Word{"trace", "trace"}, Word{"debug", "debug"}, Word{"info", "info"}, Word{"warn", "warn"},
             Word{"error", "error"}});
  in.Text("file", out.file);
  in.Finish();
}

void ReadThreads(Section in, Threads& out) {
  in.Number("reactors", out.reactors, 0, 1024);
  in.Number("storage", out.storage, 1, 4096);
  in.Number("passwords", out.passwords, 0, 1024);
  in.Finish();
}

void CheckFolderName(Section& in, std::string_view key, const std::string& name) {
  if (protocol::CheckMailboxName(name) != protocol::NameFault::kNone)
    in.Report(key, fmt::format("\"{}\" is no name for a folder", name));
}

void ReadRetention(Section in, Retention& out) {
  constexpr std::int64_t kMaxDays = 36'500;
  in.Number("inbox", out.inbox, 0, kMaxDays);
  in.Number("user", out.user, 0, kMaxDays);
  in.Number("conversation", out.conversation, 0, kMaxDays);
  in.Number("session", out.session, 0, kMaxDays);
  in.Finish();
}

void ReadUrlauth(Section in, Urlauth& out) {
  in.Bool("authuser", out.authuser);
  in.Bool("anonymous", out.anonymous);
  in.Finish();
}

void ReadReferences(Section in, References& out) {
  in.Tables("listen", [&](Section& entry) {
    Listen& one = out.listen.emplace_back();
    entry.Require("port");
    entry.Require("address");
    one.address = "127.0.0.1";
    one.tls = ListenTls::kImplicit;
    ReadAddress(entry, "address", one.address);
    entry.Number("port", one.port, 0, 65535);
    entry.Choice("tls", one.tls, {{"none", ListenTls::kNone}, {"implicit", ListenTls::kImplicit}});
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(one.address, error);
    if (one.tls == ListenTls::kNone && !error && !address.is_loopback())
      entry.Report("tls", "may be \"none\" on this machine's own addresses only: tokens would be readable");
  });
  in.Text("base_url", out.base_url);
  const bool good = out.base_url.starts_with("https://") || out.base_url.starts_with("http://");
  if (!out.base_url.empty() && (!good || out.base_url.size() > 200 || out.base_url.ends_with('/') ||
                                out.base_url.find_first_of(" \"\\<>?#;") != std::string::npos))
    in.Report("base_url", "must be as \"https://cms.example.net:8443\", without a slash at its end");
  in.Seconds("lifetime", out.lifetime, 60, 3660 * kDay);
  in.Seconds("max_lifetime", out.max_lifetime, 60, 3660 * kDay);
  if (out.lifetime > out.max_lifetime) in.Report("lifetime", "must not exceed max_lifetime");
  in.Number("per_account", out.per_account, 1, 10'000'000);
  in.Number("message_mib", out.message_mib, 1, 1024);
  // A message of large parts is held about twice; who had said the one before there was the other has room.
  out.resolve_mib = std::max(out.resolve_mib, 2 * out.message_mib);
  in.Number("resolve_mib", out.resolve_mib, 1, 1024 * 1024);
  if (out.resolve_mib < 2 * out.message_mib) in.Report("resolve_mib", "must not be below twice message_mib");
  in.Number("connections", out.connections, 1, 1'000'000);
  in.Number("connections_per_address", out.connections_per_address, 1, 1'000'000);
  in.Number("connections_per_network", out.connections_per_network, 1, 1'000'000);
  in.Finish();
}

void ReadPf(Section in, Pf& out) {
  in.Texts("act_for", out.act_for);
  for (const auto& pattern : out.act_for) {
    if (!pattern.starts_with("tel:") && !pattern.starts_with("sip:"))
      in.Report("act_for",
                fmt::format("\"{}\" must begin with tel: or sip:, as canonical addresses do", pattern));
  }
  in.Bool("may_set_quota", out.may_set_quota);
  in.Finish();
}

void ReadAudit(Section in, AuditFile& out) {
  in.Text("file", out.file);
  in.Finish();
}

/// RFC 3986 §3: a scheme, ":", and something of printable ASCII.
bool IsUri(std::string_view text) {
  using protocol::ascii::IsAlpha;
  using protocol::ascii::IsDigit;
  const std::string_view scheme = text.substr(0, text.find(':'));
  const auto in_scheme = [](char c) { return IsAlpha(c) || IsDigit(c) || c == '+' || c == '-' || c == '.'; };
  return scheme.size() + 1 < text.size() && !scheme.empty() && IsAlpha(scheme[0]) &&
         std::ranges::all_of(scheme, in_scheme) &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

void ReadProfile(Section in, Profile& out) {
  using protocol::SpecialUse;
  in.Text("default_folder", out.default_folder);
  CheckFolderName(in, "default_folder", out.default_folder);
  in.Bool("owner_may_write_default", out.owner_may_write_default);
  in.Text("permanent_root", out.permanent_root);
  if (!out.permanent_root.empty()) CheckFolderName(in, "permanent_root", out.permanent_root);
  in.Bool("user_folders_only_below_root", out.user_folders_only_below_root);
  in.Bool("strict", out.strict);
  in.Choice("object_layout", out.object_layout,
            {{"2.0", protocol::cpm::Layout::kV20}, {"2.x", protocol::cpm::Layout::k2x}});
  in.Choice("sharing", out.sharing,
            {{"nobody", Sharing::kNobody}, {"named", Sharing::kNamed}, {"anyone", Sharing::kAnyone}});
  in.Number("max_deferred", out.max_deferred, 1, 366);
  in.Seconds("deleted_grace", out.deleted_grace, 0, 366 * kDay);
  ReadRetention(in.Table("retention"), out.retention);
  in.Number("keep_vanished", out.keep_vanished, 1, 36'500);
  in.Text("admin_contact", out.admin_contact);
  if (!out.admin_contact.empty() && !IsUri(out.admin_contact))
    in.Report("admin_contact", "must be a URI, such as \"mailto:admin@example.com\"");
  std::vector<ProfileFolder> folders;
  const bool given = in.Tables("folder", [&](Section& entry) {
    ProfileFolder& folder = folders.emplace_back();
    entry.Text("name", folder.name);
    CheckFolderName(entry, "name", folder.name);
    entry.Choice("use", folder.use,
                 {{"", SpecialUse::kNone},
                  {"\\Archive", SpecialUse::kArchive},
                  {"\\Drafts", SpecialUse::kDrafts},
                  {"\\Junk", SpecialUse::kJunk},
                  {"\\Sent", SpecialUse::kSent},
                  {"\\Trash", SpecialUse::kTrash}});
  });
  if (given) out.folders = std::move(folders);
  in.Finish();
}

/// True for the folder itself too.
bool LiesIn(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

/// The system's folders are no part of each other, and nothing but conversations lies in the default folder.
void CheckProfile(const Profile& profile, std::vector<Problem>& problems) {
  const std::string& usual = profile.default_folder;
  const std::string& root = profile.permanent_root;
  for (const std::string& folder : {usual, root}) {
    if (folder == "INBOX")
      problems.push_back({0, "profile: INBOX can be neither default_folder nor permanent_root"});
  }
  if (root.empty() && profile.user_folders_only_below_root)
    problems.push_back({0, "profile.user_folders_only_below_root needs profile.permanent_root"});
  if (!root.empty() && (LiesIn(root, usual) || LiesIn(usual, root)))
    problems.push_back({0, "profile: default_folder and permanent_root must lie apart"});
  for (const auto& folder : profile.folders) {
    if (LiesIn(folder.name, usual))
      problems.push_back({0, fmt::format("profile.folder: \"{}\" lies in the default folder, which holds "
                                         "conversations only",
                                         folder.name)});
  }
}

/// What no key is wrong about alone.
void CheckTogether(const Config& config, std::vector<Problem>& problems) {
  CheckProfile(config.profile, problems);
  const bool has_certificate = !config.tls.certificate.empty();
  const auto implicit = [](const Listen& l) { return l.tls == ListenTls::kImplicit; };
  const auto starttls = [](const Listen& l) { return l.tls == ListenTls::kStartTls; };
  if (!has_certificate && std::ranges::any_of(config.imap.listen, implicit))
    problems.push_back({0, "imap.listen with tls = \"implicit\" needs tls.certificate and tls.key"});
  if (!has_certificate && std::ranges::any_of(config.imap.listen, starttls))
    problems.push_back({0, "imap.listen with tls = \"starttls\" needs tls.certificate and tls.key"});
  if (!has_certificate && std::ranges::any_of(config.references.listen, implicit))
    problems.push_back({0, "references.listen needs tls.certificate and tls.key"});
  for (auto one = config.imap.listen.begin(); one != config.imap.listen.end(); ++one) {
    const auto same = [&](const Listen& other) {
      return other.port == one->port && other.address == one->address;
    };
    if (one->port != 0 && std::any_of(std::next(one), config.imap.listen.end(), same))
      problems.push_back(
          {0, fmt::format("imap.listen: {} port {} is listed twice", one->address, one->port)});
  }
}

Config Read(const toml::table& file, std::vector<Problem>& problems) {
  Config config;
  Section top(&file, "", problems);
  ReadStore(top.Table("store"), config.store);
  ReadImap(top.Table("imap"), config.imap);
  ReadTls(top.Table("tls"), config.tls);
  ReadAuth(top.Table("auth"), config.auth);
  ReadOauth(top.Table("oauth"), config.oauth);
  ReadVerifier(top.Table("verifier"), config.verifier);
  ReadHttp(top.Table("http"), config.http);
  ReadLimits(top.Table("limits"), config.limits);
  ReadGuessing(top.Table("guessing"), config.guessing);
  ReadLog(top.Table("log"), config.log);
  ReadThreads(top.Table("threads"), config.threads);
  ReadProfile(top.Table("profile"), config.profile);
  ReadUrlauth(top.Table("urlauth"), config.urlauth);
  ReadReferences(top.Table("references"), config.references);
  ReadPf(top.Table("pf"), config.pf);
  ReadAudit(top.Table("audit"), config.audit);
  top.Finish();
  return config;
}

}  // namespace

std::string Format(const Problem& problem, std::string_view file) {
  return problem.line == 0 ? fmt::format("{}: {}", file, problem.text)
                           : fmt::format("{}:{}: {}", file, problem.line, problem.text);
}

tl::expected<Config, std::vector<Problem>> Parse(std::string_view text) {
  std::vector<Problem> problems;
  try {
    Config config = Read(toml::parse(text), problems);
    CheckTogether(config, problems);
    if (problems.empty()) return config;
  } catch (const toml::parse_error& error) {
    problems.push_back({error.source().begin.line, std::string(error.description())});
  }
  std::ranges::sort(problems, {}, [](const Problem& p) { return std::tie(p.line, p.text); });
  return tl::unexpected(std::move(problems));
}

tl::expected<Config, std::vector<Problem>> Load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file)
    return tl::unexpected(std::vector<Problem>{{0, fmt::format("cannot be read: {}", std::strerror(errno))}});
  return Parse(text.str());
}

}  // namespace server::config
