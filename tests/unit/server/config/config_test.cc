#include "server/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace server_test {
namespace {

using namespace server::config;
using testing::HasSubstr;

constexpr std::string_view kTls = "[tls]\ncertificate = \"c\"\nkey = \"k\"\n";

Config Good(std::string_view text) {
  auto config = Parse(std::string(kTls) + std::string(text));
  EXPECT_TRUE(config) << (config ? "" : Format(config.error().front(), "text"));
  return config.value_or(Config{});
}

TEST(ConfigTest, TheSampleFileHoldsTheDefaults) {
  const auto sample = Load(CMSD_SOURCE_ROOT "/etc/cmsd.toml");
  ASSERT_TRUE(sample) << Format(sample.error().front(), "etc/cmsd.toml");
  const Config defaults;
  EXPECT_EQ(sample->store.path, defaults.store.path);
  EXPECT_EQ(sample->store.block_cache_mib, defaults.store.block_cache_mib);
  EXPECT_EQ(sample->store.write_buffer_mib, defaults.store.write_buffer_mib);
  ASSERT_EQ(sample->imap.listen.size(), defaults.imap.listen.size());
  for (std::size_t i = 0; i < defaults.imap.listen.size(); ++i) {
    EXPECT_EQ(sample->imap.listen[i].address, defaults.imap.listen[i].address);
    EXPECT_EQ(sample->imap.listen[i].port, defaults.imap.listen[i].port);
    EXPECT_EQ(sample->imap.listen[i].tls, defaults.imap.listen[i].tls);
  }
  EXPECT_EQ(sample->imap.allow_plaintext_login, defaults.imap.allow_plaintext_login);
  EXPECT_EQ(sample->tls.minimum_version, defaults.tls.minimum_version);
  EXPECT_EQ(sample->tls.ciphers, defaults.tls.ciphers);
  EXPECT_EQ(sample->tls.cipher_suites, defaults.tls.cipher_suites);
  EXPECT_EQ(sample->tls.session_tickets, defaults.tls.session_tickets);
  EXPECT_EQ(sample->tls.client_ca, defaults.tls.client_ca);
  EXPECT_EQ(sample->tls.client_crl, defaults.tls.client_crl);
  EXPECT_EQ(sample->oauth.jwks, defaults.oauth.jwks);
  EXPECT_EQ(sample->oauth.issuer, defaults.oauth.issuer);
  EXPECT_EQ(sample->oauth.audience, defaults.oauth.audience);
  EXPECT_EQ(sample->oauth.address, defaults.oauth.address);
  EXPECT_EQ(sample->oauth.skew, defaults.oauth.skew);
  EXPECT_EQ(sample->oauth.max_lifetime, defaults.oauth.max_lifetime);
  EXPECT_EQ(sample->verifier.url, defaults.verifier.url);
  EXPECT_EQ(sample->verifier.ca, defaults.verifier.ca);
  EXPECT_EQ(sample->verifier.token_file, defaults.verifier.token_file);
  EXPECT_EQ(sample->verifier.timeout, defaults.verifier.timeout);
  EXPECT_EQ(sample->verifier.at_once, defaults.verifier.at_once);
  EXPECT_EQ(sample->verifier.failures, defaults.verifier.failures);
  EXPECT_EQ(sample->verifier.pause, defaults.verifier.pause);
  EXPECT_EQ(sample->tls.psk, defaults.tls.psk);
  EXPECT_EQ(sample->audit.file, defaults.audit.file);
  EXPECT_EQ(sample->auth.scram_without_tls, defaults.auth.scram_without_tls);
  EXPECT_EQ(sample->auth.scram_sha1, defaults.auth.scram_sha1);
  EXPECT_EQ(sample->auth.scram_iterations, defaults.auth.scram_iterations);
  EXPECT_EQ(sample->http.operator_socket, defaults.http.operator_socket);
  EXPECT_EQ(sample->http.monitor_address, defaults.http.monitor_address);
  EXPECT_EQ(sample->http.monitor_port, defaults.http.monitor_port);
  EXPECT_EQ(sample->limits.connections, defaults.limits.connections);
  EXPECT_EQ(sample->limits.connections_per_address, defaults.limits.connections_per_address);
  EXPECT_EQ(sample->limits.login_timeout, defaults.limits.login_timeout);
  EXPECT_EQ(sample->limits.idle_timeout, defaults.limits.idle_timeout);
  EXPECT_EQ(sample->limits.command_timeout, defaults.limits.command_timeout);
  EXPECT_EQ(sample->limits.literal_stall, defaults.limits.literal_stall);
  EXPECT_EQ(sample->limits.write_stall, defaults.limits.write_stall);
  EXPECT_EQ(sample->limits.shutdown_grace, defaults.limits.shutdown_grace);
  EXPECT_EQ(sample->limits.append_mib, defaults.limits.append_mib);
  EXPECT_EQ(sample->limits.folders_per_account, defaults.limits.folders_per_account);
  EXPECT_EQ(sample->limits.metadata_value_octets, defaults.limits.metadata_value_octets);
  EXPECT_EQ(sample->limits.metadata_entries, defaults.limits.metadata_entries);
  EXPECT_EQ(sample->limits.metadata_kib_per_account, defaults.limits.metadata_kib_per_account);
  EXPECT_EQ(sample->log.level, defaults.log.level);
  EXPECT_EQ(sample->log.file, defaults.log.file);
  EXPECT_EQ(sample->threads.reactors, defaults.threads.reactors);
  EXPECT_EQ(sample->threads.storage, defaults.threads.storage);
  EXPECT_EQ(sample->threads.passwords, defaults.threads.passwords);
  EXPECT_EQ(sample->profile.default_folder, defaults.profile.default_folder);
  EXPECT_EQ(sample->profile.owner_may_write_default, defaults.profile.owner_may_write_default);
  EXPECT_EQ(sample->profile.permanent_root, defaults.profile.permanent_root);
  EXPECT_EQ(sample->profile.user_folders_only_below_root, defaults.profile.user_folders_only_below_root);
  EXPECT_EQ(sample->profile.strict, defaults.profile.strict);
  EXPECT_EQ(sample->profile.object_layout, defaults.profile.object_layout);
  EXPECT_EQ(sample->profile.sharing, defaults.profile.sharing);
  EXPECT_EQ(sample->profile.max_deferred, defaults.profile.max_deferred);
  EXPECT_EQ(sample->profile.deleted_grace, defaults.profile.deleted_grace);
  EXPECT_EQ(sample->profile.retention.inbox, defaults.profile.retention.inbox);
  EXPECT_EQ(sample->profile.retention.user, defaults.profile.retention.user);
  EXPECT_EQ(sample->profile.retention.conversation, defaults.profile.retention.conversation);
  EXPECT_EQ(sample->profile.retention.session, defaults.profile.retention.session);
  EXPECT_EQ(sample->profile.keep_vanished, defaults.profile.keep_vanished);
  EXPECT_EQ(sample->pf.act_for, defaults.pf.act_for);
  EXPECT_EQ(sample->imap.server_name, defaults.imap.server_name);
  EXPECT_EQ(sample->urlauth.authuser, defaults.urlauth.authuser);
  EXPECT_EQ(sample->urlauth.anonymous, defaults.urlauth.anonymous);
  EXPECT_TRUE(sample->references.listen.empty());
  EXPECT_EQ(sample->references.base_url, defaults.references.base_url);
  EXPECT_EQ(sample->references.lifetime, defaults.references.lifetime);
  EXPECT_EQ(sample->references.max_lifetime, defaults.references.max_lifetime);
  EXPECT_EQ(sample->references.per_account, defaults.references.per_account);
  EXPECT_EQ(sample->references.message_mib, defaults.references.message_mib);
  EXPECT_EQ(sample->references.resolve_mib, defaults.references.resolve_mib);
  EXPECT_EQ(sample->references.connections, defaults.references.connections);
  EXPECT_EQ(sample->references.connections_per_address, defaults.references.connections_per_address);
  EXPECT_EQ(sample->references.connections_per_network, defaults.references.connections_per_network);
  EXPECT_EQ(sample->profile.admin_contact, defaults.profile.admin_contact);
  ASSERT_EQ(sample->profile.folders.size(), defaults.profile.folders.size());
  for (std::size_t i = 0; i < defaults.profile.folders.size(); ++i) {
    EXPECT_EQ(sample->profile.folders[i].name, defaults.profile.folders[i].name);
    EXPECT_EQ(sample->profile.folders[i].use, defaults.profile.folders[i].use);
  }
}

TEST(ConfigTest, ValuesAreTaken) {
  const auto config = Good(R"(
[store]
path = "/srv/store"
[imap]
allow_plaintext_login = "loopback"
server_name = "cms.example.net"
[[imap.listen]]
address = "::1"
port = 1143
tls = "none"
[limits]
idle_timeout = 3600
append_mib = 10
metadata_value_octets = 2048
metadata_entries = 20
metadata_kib_per_account = 128
[log]
level = "debug"
[urlauth]
authuser = true
anonymous = true
[references]
message_mib = 512
[pf]
act_for = ["tel:+1555*", "sip:*@example.com"]
[profile]
default_folder = "System"
admin_contact = "mailto:admin@example.com"
owner_may_write_default = false
permanent_root = "RCSMessageStore"
user_folders_only_below_root = true
strict = true
object_layout = "2.0"
sharing = "anyone"
max_deferred = 7
deleted_grace = 86400
keep_vanished = 60
[profile.retention]
conversation = 90
[[profile.folder]]
name = "Notes"
)");
  EXPECT_EQ(config.store.path, "/srv/store");
  EXPECT_EQ(config.imap.allow_plaintext_login, PlaintextLogin::kLoopback);
  ASSERT_EQ(config.imap.listen.size(), 1U);
  EXPECT_EQ(config.imap.listen[0].address, "::1");
  EXPECT_EQ(config.imap.listen[0].port, 1143);
  EXPECT_EQ(config.imap.listen[0].tls, ListenTls::kNone);
  EXPECT_EQ(config.limits.idle_timeout, std::chrono::hours(1));
  EXPECT_EQ(config.limits.append_mib, 10U);
  EXPECT_EQ(config.limits.metadata_value_octets, 2048U);
  EXPECT_EQ(config.limits.metadata_entries, 20U);
  EXPECT_EQ(config.limits.metadata_kib_per_account, 128U);
  EXPECT_EQ(config.profile.admin_contact, "mailto:admin@example.com");
  EXPECT_EQ(config.log.level, "debug");
  EXPECT_EQ(config.profile.default_folder, "System");
  EXPECT_FALSE(config.profile.owner_may_write_default);
  EXPECT_EQ(config.profile.permanent_root, "RCSMessageStore");
  EXPECT_TRUE(config.profile.user_folders_only_below_root);
  EXPECT_TRUE(config.profile.strict);
  EXPECT_EQ(config.profile.object_layout, protocol::cpm::Layout::kV20);
  EXPECT_EQ(config.profile.sharing, Sharing::kAnyone);
  EXPECT_EQ(config.profile.max_deferred, 7U);
  EXPECT_EQ(config.profile.deleted_grace, std::chrono::hours(24));
  EXPECT_EQ(config.profile.keep_vanished, 60U);
  EXPECT_EQ(config.profile.retention.conversation, 90U);
  EXPECT_EQ(config.profile.retention.inbox, 0U);
  EXPECT_TRUE(config.urlauth.authuser);
  EXPECT_TRUE(config.urlauth.anonymous);
  EXPECT_EQ(config.references.message_mib, 512U);
  EXPECT_EQ(config.references.resolve_mib, 1024U);
  EXPECT_EQ(config.imap.server_name, "cms.example.net");
  EXPECT_THAT(config.pf.act_for, testing::ElementsAre("tel:+1555*", "sip:*@example.com"));
  ASSERT_EQ(config.profile.folders.size(), 1U);
  EXPECT_EQ(config.profile.folders[0].name, "Notes");
}

TEST(ConfigTest, AnEmptyFileLacksOnlyTheCertificate) {
  const auto config = Parse("");
  ASSERT_FALSE(config);
  for (const auto& problem : config.error()) EXPECT_THAT(problem.text, HasSubstr("tls.certificate"));
}

TEST(ConfigTest, AllProblemsAreReportedInTheOrderOfTheFile) {
  const auto config =
      Parse("[store]\npath = 7\nblock_cache = 1\n[limits]\nconnections = 0\n[tls]\nkey = \"k\"\n");
  ASSERT_FALSE(config);
  std::vector<std::uint32_t> lines;
  for (const auto& problem : config.error())
    if (problem.line) lines.push_back(problem.line);
  EXPECT_THAT(lines, testing::ElementsAre(2, 3, 5, 7));
}

TEST(ConfigTest, AMissingFileIsAProblem) {
  const auto config = Load("/nonexistent/cmsd.toml");
  ASSERT_FALSE(config);
  EXPECT_THAT(Format(config.error().front(), "/nonexistent/cmsd.toml"),
              HasSubstr("/nonexistent/cmsd.toml: cannot be read"));
}

struct BadFile {
  const char* name;
  const char* text;
  std::uint32_t line;
  const char* says;
};

class ConfigRejects : public testing::TestWithParam<BadFile> {};

TEST_P(ConfigRejects, WithTheLineAndTheKey) {
  // The certificate comes last, so that lines count from the case's own text.
  const auto config = Parse(std::string(GetParam().text) + "\n" + std::string(kTls));
  ASSERT_FALSE(config);
  ASSERT_EQ(config.error().size(), 1U) << Format(config.error().back(), "text");
  EXPECT_EQ(config.error().front().line, GetParam().line);
  EXPECT_THAT(config.error().front().text, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, ConfigRejects,
    testing::Values(
        BadFile{"UnknownTopKey", "colour = 1", 1, "colour: there is no such key"},
        BadFile{"UnknownSection", "[imaps]", 1, "imaps: there is no such key"},
        BadFile{"UnknownKey", "[store]\n\ndir = \"x\"", 3, "store.dir: there is no such key"},
        BadFile{"UnknownListenKey", "[[imap.listen]]\naddress = \"::\"\nport = 1\ntls = \"none\"\nssl = 1", 5,
                "imap.listen.ssl"},
        BadFile{"ServerNameIsNoHost", "[imap]\nserver_name = \"a b\"", 2,
                "imap.server_name: must be a host name"},
        BadFile{"ReferencesInTheClear",
                "[[references.listen]]\naddress = \"0.0.0.0\"\nport = 80\ntls = \"none\"", 4,
                "references.listen.tls: may be \"none\" on this machine's own addresses only"},
        BadFile{"ReferencesStarttls",
                "[[references.listen]]\naddress = \"::1\"\nport = 80\ntls = \"starttls\"", 4,
                "references.listen.tls: must be one of \"none\", \"implicit\""},
        BadFile{"ReferencesBaseUrl", "[references]\nbase_url = \"https://x/\"", 2,
                "references.base_url: must be as"},
        BadFile{"ReferencesScheme", "[references]\nbase_url = \"ftp://x\"", 2,
                "references.base_url: must be as"},
        BadFile{"ReferencesLifetime", "[references]\nlifetime = 100\nmax_lifetime = 99", 2,
                "references.lifetime: must not exceed max_lifetime"},
        BadFile{"ReferencesResolve", "[references]\nmessage_mib = 2\nresolve_mib = 3", 3,
                "references.resolve_mib: must not be below twice message_mib"},
        BadFile{"ActForIsNoList", "[pf]\nact_for = \"tel:*\"", 2, "pf.act_for: must be an array of strings"},
        BadFile{"ActForHoldsANumber", "[pf]\nact_for = [\"tel:*\", 1]", 2, "pf.act_for: must be an array"},
        BadFile{"ActForIsNoAddress", "[pf]\nact_for = [\"*\"]", 2, "must begin with tel: or sip:"},
        BadFile{"Retention", "[profile.retention]\ninbox = -1", 2, "profile.retention.inbox"},
        BadFile{"VanishedZero", "[profile]\nkeep_vanished = 0", 2, "profile.keep_vanished"},
        BadFile{"UnknownRetention", "[profile.retention]\nspam = 1", 2, "profile.retention.spam"},
        BadFile{"MaxDeferred", "[profile]\nmax_deferred = 0", 2, "profile.max_deferred"},
        BadFile{"NotToml", "[store\n", 1, ""},
        BadFile{"Text", "[store]\npath = 1", 2, "store.path: must be a text"},
        BadFile{"EmptyPath", "[store]\npath = \"\"", 2, "store.path: must not be empty"},
        BadFile{"Bool", "[imap]\nallow_plaintext_login = true", 2, "must be a text"},
        BadFile{"Choice", "[imap]\nallow_plaintext_login = \"always\"", 2, "\"never\", \"loopback\""},
        BadFile{"NumberAsText", "[limits]\nconnections = \"9\"", 2,
                "limits.connections: must be a whole number"},
        BadFile{"NumberTooSmall", "[limits]\nconnections = 0", 2, "from 1 to"},
        BadFile{"NumberTooLarge", "[limits]\nappend_mib = 5000", 2, "to 4095"},
        BadFile{"MetadataValueBelowTheRfc", "[limits]\nmetadata_value_octets = 1023", 2, "from 1024"},
        BadFile{"MetadataEntriesBelowTheRfc", "[limits]\nmetadata_entries = 9", 2, "from 10"},
        BadFile{"AdminContactNoUri", "[profile]\nadmin_contact = \"admin@example.com\"", 2, "must be a URI"},
        BadFile{"AdminContactNoRest", "[profile]\nadmin_contact = \"mailto:\"", 2, "must be a URI"},
        BadFile{"AdminContactSpace", "[profile]\nadmin_contact = \"tel:+1 555\"", 2, "must be a URI"},
        BadFile{"Negative", "[limits]\nwrite_stall = -1", 2, "limits.write_stall"},
        BadFile{"Fraction", "[limits]\nwrite_stall = 1.5", 2, "limits.write_stall"},
        BadFile{"IdleBelowTheRfc", "[limits]\nidle_timeout = 60", 2, "from 1800"},
        BadFile{"PortTooLarge", "[[imap.listen]]\naddress = \"::\"\nport = 65536", 3, "imap.listen.port"},
        BadFile{"PortMissing", "[[imap.listen]]\naddress = \"::\"", 1, "imap.listen.port: is missing"},
        BadFile{"HostName", "[[imap.listen]]\naddress = \"localhost\"\nport = 1", 2, "must be an IP address"},
        BadFile{"TlsMode", "[[imap.listen]]\naddress = \"::\"\nport = 1\ntls = \"yes\"", 4,
                "imap.listen.tls"},
        BadFile{"ListenAsTable", "[imap.listen]\nport = 1", 1, "[[imap.listen]]"},
        BadFile{"SectionAsValue", "store = 1", 1, "must be a table: [store]"},
        BadFile{"MonitorAddress", "[http]\nmonitor_address = \"all\"", 2, "http.monitor_address"},
        BadFile{"SocketTooLong",
                "[http]\noperator_socket = "
                "\"/"
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                "aaaaaaaaa"
                "aaaaaaa\"",
                2, "at most 107"},
        BadFile{"LogLevel", "[log]\nlevel = \"loud\"", 2, "log.level"},
        BadFile{"Threads", "[threads]\nstorage = 0", 2, "threads.storage"},
        BadFile{"FolderName", "[[profile.folder]]\nname = \"a//b\"", 2, "is no name for a folder"},
        BadFile{"FolderUse", "[[profile.folder]]\nname = \"All\"\nuse = '\\All'", 3, "profile.folder.use"},
        BadFile{"PermanentRoot", "[profile]\npermanent_root = \"a//b\"", 2, "profile.permanent_root"},
        BadFile{"OnlyBelowNoRoot", "[profile]\nuser_folders_only_below_root = true", 0,
                "needs profile.permanent_root"},
        BadFile{"RootInDefault", "[profile]\npermanent_root = \"Default/Kept\"", 0, "must lie apart"},
        BadFile{"DefaultInRoot", "[profile]\npermanent_root = \"R\"\ndefault_folder = \"R/D\"", 0,
                "must lie apart"},
        BadFile{"DefaultIsInbox", "[profile]\ndefault_folder = \"INBOX\"", 0, "INBOX can be neither"},
        BadFile{"FolderInDefault", "[[profile.folder]]\nname = \"Default/Sent\"", 0,
                "lies in the default folder"},
        BadFile{"DefaultFolder", "[profile]\ndefault_folder = \"\"", 2, "profile.default_folder"},
        BadFile{"SamePortTwice",
                "[[imap.listen]]\naddress = \"::\"\nport = 1\n[[imap.listen]]\naddress = \"::\"\nport = 1", 0,
                "twice"}),
    [](const auto& info) { return std::string(info.param.name); });

class TlsRejects : public testing::TestWithParam<BadFile> {};

TEST_P(TlsRejects, WithTheLineAndTheKey) {
  const auto config = Parse(GetParam().text);
  ASSERT_FALSE(config);
  ASSERT_EQ(config.error().size(), 1U) << Format(config.error().back(), "text");
  EXPECT_EQ(config.error().front().line, GetParam().line);
  EXPECT_THAT(config.error().front().text, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, TlsRejects,
    testing::Values(
        BadFile{"KeyWithoutCertificate", "[imap]\nlisten = []\n[tls]\nkey = \"k\"", 4, "go together"},
        BadFile{"CertificateWithoutKey", "[imap]\nlisten = []\n[tls]\ncertificate = \"c\"", 4, "go together"},
        BadFile{"Version", "[imap]\nlisten = []\n[tls]\nminimum_version = \"1.1\"", 4, "tls.minimum_version"},
        BadFile{"CrlWithoutCa", "[imap]\nlisten = []\n[tls]\nclient_crl = \"x\"", 4, "client_ca"},
        BadFile{"Issuer", "[imap]\nlisten = []\n[oauth]\njwks = \"x\"\naudience = \"y\"", 3, "issuer"},
        BadFile{"AddressRule", "[imap]\nlisten = []\n[oauth]\naddress = \"sub\"", 4, "braces"},
        BadFile{"Iterations", "[imap]\nlisten = []\n[auth]\nscram_iterations = 1", 4, "4096"},
        BadFile{"Tickets", "[imap]\nlisten = []\n[tls]\nsession_tickets = 1", 4, "true or false"},
        BadFile{"NoCertificate", "[[imap.listen]]\naddress = \"::\"\nport = 993\ntls = \"implicit\"", 0,
                "needs tls.certificate"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace server_test
