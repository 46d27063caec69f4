// Our canonicalization against libopendkim's: whatever mail we sign, libopendkim must verify, and signing
// must not depend on how the body is cut.
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/vocab/ascii.h"
#include "conf/vocab/check.h"
#include "dkim/evp_signer.h"
#include "dkim/opendkim_verifier.h"
#include "dkim/record.h"
#include "dkim/signer.h"

namespace {

using conf::Canonicalization;

const dkim::SigningKey& key() {
  static const dkim::SigningKey kKey{
      dkim::PrivateKey::generate(dkim::Algorithm::kEd25519Sha256, 0), "example.com", "s", {}};
  return kKey;
}

// Line ends become CRLF: anything else is refused before it comes here.
std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\r') continue;
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

std::string hash_in_pieces(std::string_view body, Canonicalization how, size_t piece) {
  dkim::Sha256 hash;
  dkim::BodyCanonicalizer canonicalizer(how, &hash);
  for (size_t at = 0; at < body.size(); at += piece) canonicalizer.update(body.substr(at, piece));
  canonicalizer.finish();
  const dkim::Sha256Value value = hash.finish();
  return dkim::base64(value.data(), value.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint8_t choice = data[0];
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string mail = "From: a@example.com\r\n" + with_crlf(input);
  conf::Result<dkim::Mail> parsed = dkim::Mail::parse(mail);
  if (!parsed.ok()) return 0;
  for (const dkim::Field& field : parsed->fields().fields) {
    if (conf::equal_ignoring_case(field.name, "DKIM-Signature")) return 0;  // more verdicts than ours
    for (const char c : field.name) {
      if (c <= ' ' || c >= 0x7f || c == ';') return 0;  // not a field name (RFC 5322 §2.2)
    }
    // libopendkim takes C strings, and VT and FF for white space, which RFC 6376 does not; no mail has them.
    if (field.whole.find_first_of(std::string_view("\0\v\f", 3)) != std::string_view::npos) return 0;
  }
  dkim::SigningKey signing = key();
  signing.options.header = (choice & 1) != 0 ? Canonicalization::kSimple : Canonicalization::kRelaxed;
  signing.options.body = (choice & 2) != 0 ? Canonicalization::kSimple : Canonicalization::kRelaxed;
  const std::string_view body = parsed->fields().body;
  const std::string whole = parsed->body_hash(signing.options.body);
  CHECK(hash_in_pieces(body, signing.options.body, 1 + choice / 16) == whole);
  const auto field =
      dkim::EvpSigner().sign(signing, &parsed.value(), conf::WallTime(std::chrono::seconds(1'700'000'000)));
  if (!field.ok()) return 0;  // too many fields to name
  static const std::string kRecord = dkim::record_text(*key().key);
  static const dkim::OpendkimVerifier kVerifier(
      [](const std::string& /*name*/) { return conf::Result<std::string>(kRecord); });
  const auto verdicts = kVerifier.verify(field.value() + mail);
  if (!verdicts.ok()) return 0;  // libopendkim refuses the header altogether
  CHECK(verdicts.value().size() == 1);
  CHECK(verdicts.value().front().good);
  return 0;
}
