// Attachments within a CPIM: named by an extent of its octets, referred to, taken out and put back.
#include "server/references/cpim_inside.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "protocol/mime/inspect.h"
#include "server/references/cpim_cache.h"
#include "server/references/desk.h"
#include "server/references/message_exchange.h"
#include "tests/unit/server/references/desk_fixture.h"

namespace server::references {
namespace {

using storage::Role;
using tests::Must;
using Form = PartReader::Form;
using Begun = PartReader::Begun;

const std::string kCpimHeader =
    "From: <tel:+1556>\r\nTo: <tel:+1555>\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: x\r\n\r\n";
const std::string kText = "--i\r\nContent-Type: text/plain\r\n\r\nHello.";
const std::string kImageHeader =
    "Content-Type: image/png; name=x.png\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <p@q>\r\n"
    "Content-Disposition: attachment\r\n\r\n";
const std::string kImage = "AAEC\r\nAwQF";
const std::string kSound = "0 1 2 3\xff";
const std::string kSoundHeader = "Content-Type: audio/x; name=s\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";

std::string Entity(const std::string& sound = kSound, const std::string& extra = "") {
  return "Content-Type: multipart/mixed; boundary=i\r\n" + extra + "\r\n" + kText + "\r\n--i\r\n" +
         kImageHeader + kImage + "\r\n--i\r\n" + kSoundHeader + sound + "\r\n--i--\r\n";
}
std::string Outer(const std::string& entity) {
  return "From: tel:+1556\r\nContent-Type: message/cpim\r\n\r\n" + kCpimHeader + entity;
}
std::string WithLength(const std::string& header, const std::string& body) {
  return fmt::format("{}Content-Length: {}\r\n\r\n{}", header, body.size(), body);
}

class CpimInsideTest : public DeskFixture {
 protected:
  std::vector<Issued> IssueAll(storage::Uid uid, bool web = false) {
    parts = Must(desk.Attachments(folder, uid));
    return IssueFor(uid, parts, web);
  }
  std::string Externalised(storage::Uid uid, const std::vector<Issued>& issued) {
    return All(Must(Externalise(*store, folder, uid, parts, issued)));
  }
  std::unique_ptr<PartReader> OpenUrl(const std::string& url, CpimInsidePtr seen = {}) {
    const auto named = Must(desk.Look(url, {owner, Role::kPf}));
    if (!named) return nullptr;
    return Must(PartReader::Open(*store, named->part, std::move(seen)));
  }
  static std::string Octets(PartReader& part, Form form) {
    std::string out;
    EXPECT_EQ(part.Begin(form), Begun::kOpen);
    EXPECT_TRUE(part.Take(out, part.size()));
    return out;
  }

  std::vector<Attachment> parts;
};

const std::string kDecodedImage("\0\1\2\3\4\5", 6);

TEST_F(CpimInsideTest, AttachmentsAreNamedByTheirExtent) {
  const auto uid = Put(Outer(Entity()));
  const auto issued = IssueAll(uid);
  ASSERT_EQ(issued.size(), 2U);
  const std::string body = kCpimHeader + Entity();
  const auto at = body.find(kImage);
  EXPECT_EQ(protocol::WriteSection(parts[0].section), "1");
  EXPECT_EQ(parts[0].partial, (protocol::UrlPartial{static_cast<std::uint32_t>(at), 10}));
  EXPECT_NE(issued[0].imap_url.find(fmt::format("/;SECTION=1/;PARTIAL={}.10;", at)), std::string::npos)
      << issued[0].imap_url;
  EXPECT_EQ(body.substr(parts[1].partial->offset, parts[1].partial->count.value_or(0)), kSound);
  EXPECT_EQ(issued[0].size, 6U);
  EXPECT_EQ(issued[0].head.type, "image/png; name=x.png");
  EXPECT_EQ(issued[0].head.id, "<p@q>");
  EXPECT_EQ(issued[0].head.name, "x.png");
  EXPECT_EQ(issued[1].size, kSound.size());
  EXPECT_EQ(issued[1].head.media_type, "audio/x");
  EXPECT_NE(issued[1].head.id, issued[0].head.id);
}

TEST_F(CpimInsideTest, EitherUrlIsForThePart) {
  const auto issued = IssueAll(Put(Outer(Entity())));
  for (const std::string& url : {issued[0].imap_url, issued[0].url}) {
    const auto image = OpenUrl(url);
    ASSERT_TRUE(image && image->inside());
    EXPECT_EQ(Octets(*image, Form::kAsServed), kImage);
    EXPECT_EQ(Octets(*image, Form::kDecoded), kDecodedImage);
    EXPECT_EQ(image->Head().media_type, "image/png");
    EXPECT_EQ(image->known_decoded_size(), 6U);
    EXPECT_TRUE(image->Structure(Form::kAsServed)
                    ->starts_with(R"(("image" "png" ("name" "x.png") "<p@q>" NIL "base64" 10)"))
        << *image->Structure(Form::kAsServed);
    EXPECT_NE(image->Structure(Form::kDecoded)->find("\"BINARY\" 6 "), std::string::npos);
    // Some of it, as a Range asks for.
    EXPECT_EQ(image->Begin(Form::kDecoded, protocol::mime::Extent{2, 3}), Begun::kOpen);
    std::string some;
    EXPECT_TRUE(image->Take(some, image->size()));
    EXPECT_EQ(some, "\2\3\4");
  }
  const auto sound = OpenUrl(issued[1].imap_url);
  EXPECT_EQ(Octets(*sound, Form::kAsServed), kSound);
  EXPECT_EQ(Octets(*sound, Form::kDecoded), kSound);
}

TEST_F(CpimInsideTest, WhatIsNoPartToTheOctetIsOctetsOfTheCpim) {
  const auto uid = Put(Outer(Entity()));
  const auto of = Must(desk.Attachments(folder, uid))[0];
  const auto& partial = *of.partial;
  for (const auto& other : {protocol::UrlPartial{partial.offset, *partial.count - 1},
                            protocol::UrlPartial{partial.offset - 1, *partial.count + 1},
                            protocol::UrlPartial{partial.offset, std::nullopt}}) {
    const auto reader = Must(PartReader::Open(*store, {folder, uid, of.section, other, {}}));
    EXPECT_FALSE(reader->inside());
    EXPECT_EQ(Octets(*reader, Form::kDecoded), Octets(*reader, Form::kAsServed));
    // It is not looked into again for the next one.
    ASSERT_TRUE(reader->looked_into());
    const auto next =
        Must(PartReader::Open(*store, {folder, uid, of.section, partial, {}}, reader->looked_into()));
    EXPECT_EQ(next->inside(), reader->looked_into());
  }
  // A size that was counted of the CPIM is none of the part's.
  const auto reader = Must(PartReader::Open(*store, {folder, uid, of.section, partial, 500}));
  EXPECT_EQ(Octets(*reader, Form::kDecoded), kDecodedImage);
}

TEST_F(CpimInsideTest, WhatWasSeenIsOfUseForTheSameCpimOnly) {
  const auto first = IssueAll(Put(Outer(Entity())));
  const auto image = OpenUrl(first[0].url);
  const auto sound = OpenUrl(first[1].url, image->inside());
  EXPECT_EQ(sound->inside(), image->inside());
  const auto second = IssueAll(Put(Outer("X-More: 1\r\n" + Entity())));
  const auto other = OpenUrl(second[0].url, image->inside());
  EXPECT_NE(other->inside(), image->inside());
  EXPECT_EQ(Octets(*other, Form::kDecoded), kDecodedImage);
}

TEST_F(CpimInsideTest, ReferencesTakeThePlacesOfPartsAndGiveThemBack) {
  for (const bool web : {false, true}) {
    const auto uid = Put(Outer(Entity()));
    const auto issued = IssueAll(uid, web);
    const auto without = Externalised(uid, issued);
    EXPECT_EQ(without,
              Outer("Content-Type: multipart/mixed; boundary=i\r\n\r\n" + kText + "\r\n--i\r\n" +
                    issued[0].external_body + "\r\n--i\r\n" + issued[1].external_body + "\r\n--i--\r\n"));
    EXPECT_EQ(issued[0].external_body.find("Content-Transfer-Encoding"), std::string::npos);
    const auto with =
        "Content-Type: image/png; name=x.png\r\nContent-Transfer-Encoding: base64\r\n"
        "Content-ID: <p@q>\r\nContent-Disposition: attachment\r\n\r\nAAECAwQF\r\n--i\r\n"
        "Content-Type: audio/x; name=s\r\nContent-Transfer-Encoding: base64\r\n"
        "Content-ID: " +
        issued[1].head.id + "\r\n\r\nMCAxIDIgM/8=\r\n--i--\r\n";
    const auto whole = "Content-Type: multipart/mixed; boundary=i\r\n\r\n" + kText + "\r\n--i\r\n" + with;
    EXPECT_EQ(ResolvedOf(without), Outer(whole));
    // The CPIM alone, as it goes over the network.
    EXPECT_EQ(ResolvedOf(without.substr(without.find(kCpimHeader)), true), kCpimHeader + whole);
  }
}

TEST_F(CpimInsideTest, EachIsLookedIntoOnceAMessageAndCounted) {
  // Ten references in turn to two CPIMs of 100 KiB.
  const std::string large(100 * 1024, 'x');
  const auto first = IssueAll(Put(Outer(Entity(large))));
  const auto second = IssueAll(Put(Outer("X-More: 1\r\n" + Entity(large))));
  std::string message = "Content-Type: multipart/mixed; boundary=o\r\n\r\n";
  for (int i = 0; i < 5; ++i)
    message += "--o\r\n" + first[0].external_body + "\r\n--o\r\n" + second[0].external_body + "\r\n";
  message += "--o--\r\n";
  // Four times the limit may be read for it.
  const auto with = [&](std::uint64_t limit) {
    return Resolve(*store, desk, message, false, {owner, Role::kPf}, {}, limit);
  };
  ASSERT_LT(message.size(), 45U * 1024);
  EXPECT_EQ(Must(with(60 * 1024)).used.size(), 10U);
  EXPECT_EQ(tests::ErrorOf(with(45 * 1024)), storage::Errc::kTooBig);
}

TEST_F(CpimInsideTest, ACallLooksIntoOnlySoMuch) {
  const auto first = Put(Outer(Entity()));
  const auto second = Put(Outer(Entity()));
  const auto account = Must(store->GetAccount(owner));
  settings.decode_limit = Outer(Entity()).size();
  ReferenceDesk call(*store, settings, clock);
  const auto part = Must(call.Attachments(folder, first)).at(0);
  EXPECT_EQ(tests::ErrorOf(call.Attachments(folder, second)), storage::Errc::kTooBig);
  // What the caller has found itself is looked into anew, once for all of a CPIM.
  settings.decode_limit = Entity().size() + 2 * kImage.size();
  const auto wish_for = [&](storage::Uid uid) {
    Wish wish;
    wish.folder = folder;
    wish.uid = uid;
    wish.section = part.section;
    wish.partial = part.partial;
    return wish;
  };
  const auto issue = [&](const std::vector<Wish>& wishes) {
    return ReferenceDesk(*store, settings, clock).Issue(account, owner, wishes);
  };
  EXPECT_TRUE(issue({wish_for(first), wish_for(first), wish_for(first)}));
  EXPECT_EQ(tests::ErrorOf(issue({wish_for(first), wish_for(second)})), storage::Errc::kTooBig);
}

TEST_F(CpimInsideTest, TheLastOnesAreRemembered) {
  const auto of = [&](storage::Uid uid) {
    const auto issued = IssueAll(uid).at(0);
    return ReferenceDesk::PartOf(issued.record);
  };
  const auto first = of(Put(Outer(Entity())));
  const auto second = of(Put(Outer(Entity())));
  const auto third = of(Put(Outer(Entity())));
  const auto inside = [&](const MessagePart& what) {
    return Must(PartReader::Open(*store, what))->looked_into();
  };
  CpimCache cache(4096);
  cache.Put(first, inside(first));
  cache.Put(second, inside(second));
  EXPECT_EQ(cache.Find(third), nullptr);
  const auto known = cache.Find(first);
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(Must(PartReader::Open(*store, first, known))->looked_into(), known)
      << "and it is not looked into again";
  EXPECT_NE(Must(PartReader::Open(*store, third, known))->looked_into(), known) << "unless it is another";
  for (int i = 0; i < 10; ++i) {
    cache.Put(third, inside(third));
    auto another = third;
    another.uid = {1'000U + static_cast<std::uint32_t>(i)};
    cache.Put(another, inside(third));
    EXPECT_NE(cache.Find(first), nullptr) << "the last used one stays";
  }
  EXPECT_EQ(cache.Find(second), nullptr);
  CpimCache none(100);
  none.Put(first, inside(first));
  EXPECT_EQ(none.Find(first), nullptr);
}

TEST_F(CpimInsideTest, APartWithinAndAllOfItCanStandInOneMessage) {
  const auto uid = Put(Outer(Entity()));
  const auto within = IssueAll(uid).at(0);
  Wish wish;
  wish.folder = folder;
  wish.uid = uid;
  wish.section = *protocol::ReadSection("1");
  const auto whole = Must(desk.Issue(Must(store->GetAccount(owner)), owner, {wish})).at(0);
  const auto resolved =
      ResolvedOf("Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n" + within.external_body +
                 "\r\n--o\r\n" + whole.external_body + "\r\n--o--\r\n");
  EXPECT_NE(resolved.find("AAECAwQF"), std::string::npos) << resolved;
  EXPECT_NE(resolved.find("Content-Type: message/cpim"), std::string::npos) << resolved;
}

TEST_F(CpimInsideTest, LengthsAreThoseOfWhatIsHeldThen) {
  const std::string head = "Content-Type: multipart/mixed; boundary=i\r\n";
  const auto inner = [&](const std::string& image) {
    return WithLength("Content-Type: multipart/mixed; boundary=j\r\n", "--j\r\n" + image + "\r\n--j--\r\n");
  };
  const auto entity = [&](const std::string& image) {
    return WithLength(head, kText + "\r\n--i\r\n" + inner(image) + "\r\n--i--\r\n");
  };
  const auto message = [&](const std::string& image) {
    const auto cpim =
        "--o\r\n" + WithLength("Content-Type: message/cpim\r\n", kCpimHeader + entity(image)) + "\r\n";
    return WithLength("Content-Type: multipart/mixed; boundary=o\r\n", cpim + "--o--\r\n");
  };
  const auto uid = Put(message(kImageHeader + kImage));
  const auto issued = IssueAll(uid);
  ASSERT_EQ(issued.size(), 1U);
  EXPECT_EQ(Externalised(uid, issued), message(issued[0].external_body));
  // A CPIM that is a part is resolved as well; lengths are dropped where nobody needs them.
  const auto back = ResolvedOf(Externalised(uid, issued));
  EXPECT_NE(
      back.find("base64\r\nContent-ID: <p@q>\r\nContent-Disposition: attachment\r\n\r\nAAECAwQF\r\n--j--"),
      std::string::npos)
      << back;
  const auto again = IssueAll(Put(back));
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(Octets(*OpenUrl(again[0].url), Form::kDecoded), kDecodedImage);
}

TEST_F(CpimInsideTest, AllThatItHoldsMayBeTheAttachment) {
  const auto uid =
      Put(Outer("X-Kept: 1\r\n" + WithLength("Content-Type: image/png\r\n", "not really") + "\r\n"));
  const auto issued = IssueAll(uid);
  ASSERT_EQ(issued.size(), 1U);
  EXPECT_EQ(Octets(*OpenUrl(issued[0].imap_url), Form::kAsServed), "not really");
  const auto without = Externalised(uid, issued);
  EXPECT_EQ(without, Outer("X-Kept: 1\r\n" + issued[0].external_body + "\r\n"));
  const auto back = ResolvedOf(without);
  EXPECT_TRUE(
      back.starts_with(Outer("X-Kept: 1\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64")))
      << back;
  EXPECT_TRUE(back.ends_with("\r\n\r\nbm90IHJlYWxseQ==")) << back;
}

TEST_F(CpimInsideTest, WhatHoldsNulIsServedInBase64AndTheOthersAsTheyAre) {
  const std::string sound("a\0b", 3);
  const auto issued = IssueAll(Put(Outer(Entity(sound))));
  ASSERT_EQ(issued.size(), 2U);
  const auto image = OpenUrl(issued[0].imap_url);
  EXPECT_EQ(Octets(*image, Form::kAsServed), kImage);
  EXPECT_EQ(Octets(*image, Form::kDecoded), kDecodedImage);
  const auto odd = OpenUrl(issued[1].imap_url);
  EXPECT_EQ(Octets(*odd, Form::kDecoded), sound);
  EXPECT_TRUE(odd->nul());
  EXPECT_EQ(Octets(*odd, Form::kAsServed).substr(0, 4), "YQBi");
  EXPECT_NE(odd->Structure(Form::kAsServed)->find("\"base64\""), std::string::npos);
}

TEST_F(CpimInsideTest, WhatSaysItselfIsNoAttachment) {
  for (const std::string content :
       {"Content-Type: text/html\r\n\r\n<p>", "Content-Type: message/imdn+xml\r\n\r\n<imdn/>",
        "Content-Type: application/vnd.gsma.rcs-ft-http+xml\r\n\r\n<file/>", "\r\nHello",
        "Content-Type: image/png\r\n\r\n",
        "Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\nContent-Type: message/cpim\r\n\r\nFrom: "
        "<a>\r\n\r\n\r\nHi"})
    EXPECT_TRUE(Must(desk.Attachments(folder, Put(Outer(content)))).empty()) << content;
  // In base64 it is read all the same, there is nothing in it to refer to.
  const std::string text = "Content-Type: message/cpim\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  EXPECT_TRUE(Must(desk.Attachments(folder, Put(text + "RnJvbTogPGE+DQoNCg0KSGkNCg=="))).empty());
}

TEST_F(CpimInsideTest, WhatCannotBeNamedIsRefused) {
  const auto refusal = [&](const std::string& message) {
    const auto found = desk.Attachments(folder, Put(message));
    EXPECT_EQ(tests::ErrorOf(found), storage::Errc::kNotAllowed);
    return found ? std::string() : found.error().detail;
  };
  EXPECT_NE(refusal("Content-Type: message/cpim\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
                    kCpimHeader + Entity())
                .find("Content-Transfer-Encoding itself"),
            std::string::npos);
  EXPECT_NE(refusal(Outer("Content-Type: image/png\r\nContent-Length: 9999\r\n\r\nx")).find("malformed"),
            std::string::npos);
  EXPECT_NE(refusal("Content-Type: message/cpim\r\n\r\nx").find("malformed"), std::string::npos);
  // The whole of it can be.
  const auto uid = Put("Content-Type: message/cpim\r\n\r\nx");
  const auto reader = Must(PartReader::Open(
      *store, {folder, uid, *protocol::ReadSection("1"), protocol::UrlPartial{0, 1}, {}}, {}));
  EXPECT_EQ(Octets(*reader, Form::kDecoded), "x");
}

TEST_F(CpimInsideTest, AHundredAndNoMore) {
  std::string entity = "Content-Type: multipart/mixed; boundary=i\r\n\r\n";
  for (int i = 0; i < 101; ++i) entity += "--i\r\nContent-Type: image/png\r\n\r\nx\r\n";
  EXPECT_EQ(tests::ErrorOf(desk.Attachments(folder, Put(Outer(entity)))), storage::Errc::kLimit);
}

TEST_F(CpimInsideTest, LinesMayEndWithLfAlone) {
  const auto uid = Put("Content-Type: message/cpim\n\nFrom: <a>\n\nContent-Type: image/png\n\nx");
  const auto issued = IssueAll(uid);
  ASSERT_EQ(issued.size(), 1U);
  const auto without = Externalised(uid, issued);
  EXPECT_EQ(without, "Content-Type: message/cpim\n\nFrom: <a>\n\n" + issued[0].external_body);
  EXPECT_TRUE(ResolvedOf(without).ends_with("\r\n\r\neA==")) << ResolvedOf(without);
}

/// Each would be looked into as a whole, and a frame deeper.
TEST_F(CpimInsideTest, ACpimWithinACpimIsNotResolved) {
  std::string deep;
  while (deep.size() < 900'000) deep += "Content-Type: message/cpim\r\n\r\nx\r\n\r\n";
  EXPECT_EQ(ResolvedOf(deep), deep);
}

TEST(WindowSourceTest, IsSomeOfAnother) {
  protocol::mime::MemorySource whole("0123456789");
  WindowSource window(whole, {2, 5});
  EXPECT_EQ(window.size(), 5U);
  std::string out(10, '.');
  EXPECT_EQ(window.Read(1, out), 4);
  EXPECT_EQ(out, "3456......");
  EXPECT_EQ(window.Read(5, out), 0);
  protocol::mime::Octets shared;
  EXPECT_EQ(window.Share(3, 10, shared), 2);
  EXPECT_EQ(shared.view(), "56");
  EXPECT_EQ(window.Share(9, 10, shared), 0);
  EXPECT_EQ(shared.view(), "");
}

}  // namespace
}  // namespace server::references
