#include "dkim/opendkim_verifier.h"

#include <cstring>

#include "conf/vocab/ascii.h"
#include "dkim/mail_fields.h"
#include "dkim/opendkim_library.h"

namespace dkim {

namespace {

std::string text_or_nothing(const unsigned char* text) {
  return text == nullptr ? std::string() : reinterpret_cast<const char*>(text);
}

DKIM_STAT look_up(DKIM* session, DKIM_SIGINFO* signature, unsigned char* buffer, size_t size) noexcept {
  const auto* lookup = static_cast<const OpendkimVerifier::KeyLookup*>(dkim_get_user_context(session));
  const std::string name = text_or_nothing(dkim_sig_getselector(signature)) + "._domainkey." +
                           text_or_nothing(dkim_sig_getdomain(signature));
  const conf::Result<std::string> record = (*lookup)(name);
  if (!record.ok())
    return record.error().code == conf::ErrorCode::kNotFound ? DKIM_STAT_NOKEY : DKIM_STAT_KEYFAIL;
  if (record.value().size() >= size) return DKIM_STAT_SYNTAX;
  std::memcpy(buffer, record.value().c_str(), record.value().size() + 1);
  return DKIM_STAT_OK;
}

Verdict verdict_of(DKIM* session, DKIM_SIGINFO* signature) {
  Verdict verdict;
  verdict.domain = text_or_nothing(dkim_sig_getdomain(signature));
  verdict.selector = text_or_nothing(dkim_sig_getselector(signature));
  verdict.algorithm = text_or_nothing(dkim_sig_getalgorithm(signature));
  const DKIM_STAT status = dkim_sig_process(session, signature);
  const int error = dkim_sig_geterror(signature);
  const bool passed = (dkim_sig_getflags(signature) & DKIM_SIGFLAG_PASSED) != 0;
  verdict.good = passed && dkim_sig_getbh(signature) == DKIM_SIGBH_MATCH && error == DKIM_SIGERROR_OK;
  if (verdict.good) return verdict;
  verdict.temporary = error == DKIM_SIGERROR_KEYFAIL || status == DKIM_STAT_KEYFAIL;
  if (dkim_sig_getbh(signature) == DKIM_SIGBH_MISMATCH) {
    verdict.why = "the body was changed";
  } else if (error == DKIM_SIGERROR_BADSIG) {
    verdict.why = "a signed header field was changed, or the key is another";
  } else {
    const char* const text = dkim_sig_geterrorstr(error);
    verdict.why = text == nullptr ? explain("verifying", status, session) : text;
  }
  return verdict;
}

}  // namespace

OpendkimVerifier::OpendkimVerifier(KeyLookup lookup)
    : lookup_(std::move(lookup)), library_(std::make_unique<OpendkimLibrary>()) {
  dkim_set_key_lookup(library_->handle(), &look_up);
}

OpendkimVerifier::~OpendkimVerifier() = default;

conf::Result<std::vector<Verdict>> OpendkimVerifier::verify(std::string_view mail) const {
  const conf::Result<MailFields> parts = split_mail(mail);
  if (!parts.ok()) return parts.error();
  DKIM_STAT status = DKIM_STAT_OK;
  const OpendkimSession session(dkim_verify(library_->handle(), unconst("penstock"), nullptr, &status));
  const auto failed = [&](const char* what) {
    return conf::Error{conf::ErrorCode::kInvalid, "libopendkim: " + explain(what, status, session.get())};
  };
  if (session == nullptr) return failed("verifying");
  dkim_set_user_context(session.get(), const_cast<KeyLookup*>(&lookup_));
  std::vector<Verdict> verdicts;
  for (const Field& field : parts.value().fields) {
    status = dkim_header(session.get(), unconst(field.whole.data()), field.whole.size());
    if (status == DKIM_STAT_OK) continue;
    if (!conf::equal_ignoring_case(field.name, "DKIM-Signature")) return failed("header");
    Verdict unreadable;
    unreadable.why = explain("the signature cannot be read", status, session.get());
    verdicts.push_back(std::move(unreadable));
  }
  status = dkim_eoh(session.get());
  if (status == DKIM_STAT_NOSIG) return verdicts;
  const bool keys_missing = status == DKIM_STAT_NOKEY || status == DKIM_STAT_KEYFAIL ||
                            status == DKIM_STAT_CANTVRFY || status == DKIM_STAT_BADSIG;
  if (status != DKIM_STAT_OK && !keys_missing) return failed("header");
  const std::string_view body = parts.value().body;
  if (!body.empty()) status = dkim_body(session.get(), unconst(body.data()), body.size());
  // SMTP would end the last line too (RFC 5321 §4.1.1.4).
  if (!body.empty() && body.back() != '\n') status = dkim_body(session.get(), unconst("\r\n"), 2);
  (void)dkim_eom(session.get(), nullptr);  // what it says of the first signature is asked of each below
  DKIM_SIGINFO** signatures = nullptr;
  int count = 0;
  if (dkim_getsiglist(session.get(), &signatures, &count) != DKIM_STAT_OK) return failed("signatures");
  for (int i = 0; i < count; ++i) verdicts.push_back(verdict_of(session.get(), signatures[i]));
  return verdicts;
}

}  // namespace dkim
