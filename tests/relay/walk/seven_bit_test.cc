#include "relay/walk/seven_bit.h"

#include <gtest/gtest.h>

#include "relay/smtp/mime_entity.h"
#include "relay/walk/mime_words.h"

namespace relay {
namespace {

std::string converted(const std::string& mail, SignedParts signed_parts = SignedParts::kKeep) {
  const std::optional<std::string> text = to_seven_bit(mail, signed_parts);
  if (!text) return "cannot";
  EXPECT_FALSE(smtp::has_eight_bit(*text)) << *text;
  size_t line = 0;
  for (size_t at = text->find("\r\n"); at != std::string::npos; line = at + 2, at = text->find("\r\n", line))
    EXPECT_LE(at - line, 998U);
  return *text;
}

TEST(SevenBit, TextBecomesQuotedPrintable) {
  EXPECT_EQ(converted("Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                      "Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9f"
                      "e = 1 \r\nsecond line\r\n"),
            "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe =3D 1=20\r\nsecond line\r\n");
}

TEST(SevenBit, WhatIsNoMimeBecomesSome) {
  EXPECT_EQ(converted("From: a@b.test\r\n\r\n\xc3\xbc, and so on and on\r\n"),
            "From: a@b.test\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC, and so on and on\r\n");
  EXPECT_NE(converted("From: a@b.test\r\n\r\n\xfc, and so on and on\r\n").find("charset=unknown-8bit"),
            std::string::npos);
}

TEST(SevenBit, OctetsBecomeBase64) {
  EXPECT_EQ(
      converted("Content-Type: image/png\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n\r\n"
                "\x89PNG\r\n\x1a\r\n"),
      "Content-Type: image/png\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n"
      "iVBORw0KGg0K");
}

TEST(SevenBit, OnlyThePartsThatNeedItAreTouched) {
  const std::string plain = "Content-Type: text/plain\r\n\r\n  as  it is =20\t\r\n";
  const std::string mail =
      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"a "
      "b\"\r\nContent-Transfer-Encoding: 8bit\r\n"
      "\r\npre\xc3\xbc\r\n--a b\r\n" +
      plain +
      "\r\n--a b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: "
      "8bit\r\n\r\n<p>\xc3\xbc</p> and more of it"
      "\r\n--a b--\r\nend\r\n";
  EXPECT_EQ(converted(mail),
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"a "
            "b\"\r\nContent-Transfer-Encoding: 7bit\r\n"
            "\r\npre??\r\n--a b\r\n" +
                plain +
                "\r\n--a b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: "
                "quoted-printable\r\n\r\n"
                "<p>=C3=BC</p> and more of it\r\n--a b--\r\nend\r\n");
}

TEST(SevenBit, AMessageWithinAMessage) {
  EXPECT_EQ(
      converted("MIME-Version: 1.0\r\nContent-Type: multipart/report; boundary=x\r\n\r\n--x\r\n"
                "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: \xc3\xbc\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa4 and some text\r\n--x\r\n"
                "Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: "
                "\xc3\xbc and so on\r\n--x--\r\n"),
      "MIME-Version: 1.0\r\nContent-Type: multipart/report; boundary=x\r\n\r\n--x\r\n"
      "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: =?utf-8?B?w7w=?=\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
      "=C3=A4 and some text\r\n--x\r\n"
      "Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
      "Subject: =C3=BC and so on\r\n--x--\r\n");
}

TEST(SevenBit, FieldsBecomeEncodedWords) {
  EXPECT_EQ(
      converted("Subject: Gr\xc3\xbc\xc3\x9f"
                "e aus M\xc3\xbcnchen\r\nFrom: \"J\xc3\xbcrgen M\xc3\xbcller\" <a@b.test>\r\n\r\nx\r\n"),
      "Subject: =?utf-8?B?R3LDvMOfZQ==?= aus =?utf-8?B?TcO8bmNoZW4=?=\r\n"
      "From: =?utf-8?B?SsO8cmdlbiBNw7xsbGVy?= <a@b.test>\r\n\r\nx\r\n");
  const std::string longest = converted("Subject:" + std::string(300, '\xe4') + "\r\n\r\nx\r\n");
  EXPECT_NE(longest.find("=?unknown-8bit?B?"), std::string::npos);
  for (size_t at = longest.find("=?"); at != std::string::npos; at = longest.find("=?", at + 2)) {
    const size_t end = longest.find("?=", longest.find("?B?", at) + 3);
    EXPECT_LE(end + 2 - at, 75U) << "RFC 2047 section 2";
    at = end;
  }
}

std::string field(const std::string& text) {
  const std::string mail = converted(text + "\r\n\r\nx\r\n");
  return mail.substr(0, mail.find("\r\n\r\n"));
}

// RFC 2047 §5: never an address; parted from its neighbours.
TEST(SevenBit, AddressesStayWhatTheyAre) {
  EXPECT_EQ(field("From: \xe5\xb1\xb1\xe7\x94\xb0<yamada@sender.test>"),
            "From: =?utf-8?B?5bGx55Sw?= <yamada@sender.test>");
  EXPECT_EQ(
      field("To: \"J\xc3\xbcrgen\"<j@y.test>,M\xc3\xbcller<m@y.test>, plain <p@y.test>"),
      "To: =?utf-8?B?SsO8cmdlbg==?= <j@y.test>, =?utf-8?B?TcO8bGxlcg==?=\r\n <m@y.test>, plain <p@y.test>");
  EXPECT_EQ(field("Cc: team (\xc3\xbc"
                  "ber uns) <t@y.test>, a@b.test (\xc3\xa4)"),
            "Cc: team (=?utf-8?B?w7xiZXI=?= uns) <t@y.test>, a@b.test (=?utf-8?B?w6Q=?=)");
  EXPECT_EQ(field("Reply-To: \"M\xc3\xbcller, \\\"Max\\\"\" <m@y.test>"),
            "Reply-To: =?utf-8?B?TcO8bGxlciwgIk1heCI=?= <m@y.test>");
  EXPECT_EQ(field("From: \"J\xc3\xbc\" M\xc3\xbc <m@y.test>"),
            "From: =?utf-8?B?SsO8?= =?utf-8?B?IE3DvA==?= <m@y.test>");
  EXPECT_EQ(field("Message-ID: <\xc3\xbc@y.test>"),
            "Message-ID: <?"
            "?@y.test>");
  EXPECT_EQ(field("To: j\xc3\xbcrgen@y.test"),
            "To: j?"
            "?rgen@y.test");
  EXPECT_EQ(field("To: \"never closed \xc3\xbc"), "To: =?utf-8?B?bmV2ZXIgY2xvc2VkIMO8?=");
}

// RFC 5890, RFC 3986 §2.5: they have a form of their own in ASCII.
TEST(SevenBit, DomainsAndUrlsKeepTheirMeaning) {
  EXPECT_EQ(field("From: J <a@b\xc3\xbc"
                  "cher.test>, c@b\xc3\xbc"
                  "cher.test"),
            "From: J <a@xn--bcher-kva.test>, c@xn--bcher-kva.test");
  EXPECT_EQ(field("List-Unsubscribe: <https://b\xc3\xbc"
                  "cher.test/\xc3\xbc?a=b@c>, <mailto:\xc3\xbc@y.test>"),
            "List-Unsubscribe: <https://b%C3%BCcher.test/%C3%BC?a=b@c>, <mailto:%C3%BC@y.test>");
  EXPECT_EQ(field("To: <a@\xff.test>"), "To: <a@?.test>");
}

TEST(SevenBit, OnlyAddressesAndIdsNeedUtf8) {
  const auto needs = [](const std::string& field) {
    return has_utf8_address(field + "\r\nX: y\r\n\r\n\xc3\xbc\r\n");
  };
  for (const char* fine :
       {"Subject: \xc3\xbc", "From: \xc3\xbc <a@b.test>", "To: \"\xc3\xbc\" <a@\xc3\xbc.test>",
        "Cc: a@b.test (\xc3\xbc)", "List-Help: <https://y.test/\xc3\xbc>", "X-Any: <\xc3\xbc@y.test>",
        "Content-Type: text/plain; name=\"\xc3\xbc\"", "From: a@b.test"}) {
    EXPECT_FALSE(needs(fine)) << fine;
  }
  for (const char* utf8 :
       {"From: <\xc3\xbc@b.test>", "To: a@b.test, \xc3\xbc@b.test", "Cc: \"\xc3\xbc x\"@b.test",
        "Message-ID: <\xc3\xbc@b.test>", "Received: by x for <\xc3\xbc@b.test>; now"}) {
    EXPECT_TRUE(needs(utf8)) << utf8;
  }
}

// RFC 2047 §2.
TEST(SevenBit, ALineWithEncodedWordsHas76Octets) {
  std::string subject = "Subject:", from = "From:";
  for (int i = 0; i < 12; ++i) {
    subject +=
        " plain words and gr\xc3\xbc\xc3\x9f"
        "e";
    from += " J\xc3\xbcrgen Max <a@sender-of-a-long-name.test>,";
  }
  subject += " " + std::string(60, '\xe4');
  for (const std::string& text : {field(subject), field(from + " b@c.test")}) {
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find("\r\n", at), text.size());
      EXPECT_LE(end - at, 76U) << text;
      EXPECT_NE(text.find_first_not_of(' ', at), end) << text;
      at = end + 2;
    }
  }
  EXPECT_EQ(field("Subject: " + std::string(70, 'x') + " \xc3\xbc y"),
            "Subject: " + std::string(70, 'x') + "\r\n =?utf-8?B?w7w=?= y");
  EXPECT_EQ(field("Subject: " + std::string(90, 'x') + " y"), "Subject: " + std::string(90, 'x') + " y");
}

// RFC 2231 §3, §4.
TEST(SevenBit, ParametersKeepTheirNamesAndValues) {
  EXPECT_EQ(field("Content-Type: application/pdf; name=\"r\xc3\xa9sum\xc3\xa9.pdf\"; x=1"),
            "Content-Type: application/pdf; name*=utf-8''r%C3%A9sum%C3%A9.pdf; x=1");
  EXPECT_EQ(field("Content-Disposition: attachment;\r\n filename=\"a; \xc3\xbc.txt\""),
            "Content-Disposition: attachment;\r\n filename*=utf-8''a%3B%20%C3%BC.txt");
  const std::string pieces = field("Content-Type: text/plain; name=" + std::string(40, '\xe4'));
  EXPECT_TRUE(pieces.starts_with("Content-Type: text/plain; name*0*=unknown-8bit''%E4%E4")) << pieces;
  EXPECT_NE(pieces.find(";\r\n name*1*=%E4"), std::string::npos) << pieces;
}

TEST(SevenBit, SignedPartsWithinOthersAreKept) {
  const std::string mail =
      "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/signed; "
      "boundary=i\r\n\r\n"
      "--i\r\nContent-Type: text/plain\r\n\r\n\xc3\xbc and more\r\n--i--\r\n--o--\r\n";
  EXPECT_EQ(converted(mail), "cannot");
  EXPECT_NE(converted(mail, SignedParts::kConvert), "cannot");
}

TEST(SevenBit, WhatIsEncodedAlreadyIsMendedOrLeft) {
  EXPECT_EQ(
      converted("Content-Type: text/plain\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: "
                "quoted-printable\r\n\r\n"
                "=C3=BC \xc3\xbc\r\n"),
      "Content-Type: text/plain\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
      "=C3=BC =C3=BC\r\n");
  EXPECT_EQ(converted("Content-Type: message/partial; id=x\r\n\r\n\xc3\xbc\r\n"), "cannot");
}

// RFC 2045 §5.2: an invalid Content-Type is read as text/plain; RFC 2046 §5.1.1: a boundary is required.
// RFC 2231 §3, §4: a boundary in pieces, or with percent signs.
TEST(SevenBit, ABoundaryMayComeInPieces) {
  const std::string body =
      "\r\n\r\n--a b'1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xbc and more of it\r\n--a "
      "b'1--\r\n";
  for (const std::string boundary :
       {"boundary*0=\"a \"; boundary*1=\"b'1\"", "boundary*0=\"a \";\r\n BOUNDARY*1*=b%271",
        "boundary*=us-ascii'en'a%20b'1", "boundary*0*=utf-8''a%20;charset=x; boundary*1=\"b'1\"",
        "boundary*1=\"b'1\"; boundary*0=\"a \"", "boundary*=''no; boundary=\"a b'1\""}) {
    const std::string text = converted("Content-Type: multipart/mixed; " + boundary + body);
    EXPECT_NE(
        text.find(
            "charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC and more of it"),
        std::string::npos)
        << text;
  }
  // A piece that is missing ends it; what is no number of a piece is none.
  for (const std::string boundary : {"boundary*1=a", "boundary*x=a", "boundary**=a", "boundaryx=a"}) {
    const std::string text = "Content-Type: multipart/mixed; " + boundary + "\r\n\r\n";
    EXPECT_EQ(smtp::parameter_of(smtp::read_entity(text), "boundary"), "") << boundary;
  }
}

// RFC 2046 §5.1.5: in a digest a part is a message unless it says otherwise.
TEST(SevenBit, APartOfADigestIsAMessage) {
  const std::string message = "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
  const std::string begin = "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n";
  for (const std::string part : {"\r\n", "Content-Description: one\r\n\r\n"}) {
    const std::string text = converted(begin + part + message + "\xc3\xbc and more of it\r\n--d--\r\n");
    EXPECT_NE(text.find("--d\r\n" + part + "Subject: x\r\n"), std::string::npos) << text;
    EXPECT_NE(text.find("charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC and"),
              std::string::npos)
        << text;
  }
  EXPECT_NE(converted(begin + "Content-Type: text/plain\r\n\r\n\xc3\xbc and more of it\r\n--d--\r\n")
                .find("Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable"),
            std::string::npos);
}

TEST(SevenBit, AMultipartWithoutPartsIsPlainText) {
  for (const std::string type :
       {"multipart/mixed", "multipart/mixed; boundary=", "multipart/mixed; boundary=x"}) {
    EXPECT_EQ(converted("MIME-Version: 1.0\r\nContent-Type: " + type +
                        "\r\n\r\nno part at all \xc3\xbc, and more\r\n"),
              "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n\r\nno part at all =C3=BC, and more\r\n");
  }
}

// RFC 2045 §6.8: who decodes base64 passes over the rest; what is no base64 at all has the wrong label.
TEST(SevenBit, StrayOctetsInBase64AreLeftOutAndAWrongLabelIsMended) {
  EXPECT_EQ(converted("Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVB\xc3ORw==\r\n"),
            "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n");
  EXPECT_EQ(
      converted("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: base64\r\n\r\nGr\xc3\xbc\xc3\x9f"
                "e, and so on and on and on\r\n"),
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe, and so on and on and on\r\n");
}

// RFC 3464 §2.1: it stays seven bits and without an encoding.
TEST(SevenBit, ADeliveryStatusLosesItsEightBits) {
  EXPECT_EQ(converted("Content-Type: message/delivery-status\r\n\r\nDiagnostic-Code: smtp; 550 \xfc\r\n"),
            "Content-Type: message/delivery-status\r\n\r\nDiagnostic-Code: smtp; 550 ?\r\n");
}

TEST(SevenBit, PartsBeyondMeasureAndBrokenOnesEnd) {
  std::string deep = "\xc3\xbc";
  for (int i = 0; i < 100; ++i) {
    const std::string mark = "b" + std::to_string(i);
    deep = "Content-Type: multipart/mixed; boundary=" + mark + "\r\n\r\n--" + mark + "\r\n" + deep +
           "\r\n--" + mark + "--\r\n";
  }
  EXPECT_EQ(converted(deep), "cannot");
  converted("Content-Type: multipart/mixed; boundary=\"x\r\n\r\n--x\r\n\xc3\xbc");
  converted("no field\xc3\xbc");
  converted("\xc3\xbc");
  converted("\r\n\xc3\xbc");
}

TEST(SevenBit, LongLinesOfQuotedPrintableAreBroken) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "word \xc3\xbc ";
  const std::string mail =
      converted("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text + "\r\n");
  size_t line = mail.find("\r\n\r\n") + 4;
  for (size_t at = mail.find("\r\n", line); at != std::string::npos;
       line = at + 2, at = mail.find("\r\n", line))
    EXPECT_LE(at - line, 76U);
}

TEST(SevenBit, WhoElseVouchesForIt) {
  EXPECT_TRUE(is_signed_by_others("From: a\r\ndkim-signature: v=1\r\n\r\nx"));
  EXPECT_TRUE(is_signed_by_others("ARC-Seal: i=1\r\n\r\nx"));
  EXPECT_TRUE(is_signed_by_others("Content-Type: multipart/signed; boundary=x\r\n\r\nx"));
  EXPECT_FALSE(is_signed_by_others("From: a\r\n\r\nDKIM-Signature: v=1\r\n"));
}

}  // namespace
}  // namespace relay
