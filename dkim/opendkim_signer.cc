#include "dkim/opendkim_signer.h"

#include "conf/vocab/ascii.h"
#include "dkim/opendkim_library.h"
#include "dkim/signature.h"

namespace dkim {

namespace {

dkim_canon_t canon_of(conf::Canonicalization how) {
  return how == conf::Canonicalization::kSimple ? DKIM_CANON_SIMPLE : DKIM_CANON_RELAXED;
}

conf::Error failed(const char* what, DKIM_STAT status, DKIM* session) {
  return {conf::ErrorCode::kIo, "libopendkim: " + explain(what, status, session)};
}

std::string text_of(const conf::DkimOptions& options) {
  std::string text = std::to_string(options.expire.count());
  for (const std::string& name : options.headers) text.append(" ").append(name);
  text += " |";
  for (const std::string& name : options.oversign) text.append(" ").append(name);
  return text;
}

conf::Status feed(DKIM* session, const Mail& mail) {
  for (const Field& field : mail.fields().fields) {
    // Older signatures are not signed; libopendkim would refuse the message for one it cannot read.
    if (conf::equal_ignoring_case(field.name, "DKIM-Signature")) continue;
    const DKIM_STAT status = dkim_header(session, unconst(field.whole.data()), field.whole.size());
    if (status != DKIM_STAT_OK) return failed("header", status, session);
  }
  DKIM_STAT status = dkim_eoh(session);
  if (status != DKIM_STAT_OK) return failed("end of the header", status, session);
  const std::string_view body = mail.fields().body;
  if (!body.empty()) status = dkim_body(session, unconst(body.data()), body.size());
  // It refuses a body without a last CRLF, which both canonicalizations would add (RFC 6376 §3.4.3).
  if (!body.empty() && body.back() != '\n') status = dkim_body(session, unconst("\r\n"), 2);
  if (status != DKIM_STAT_OK) return failed("body", status, session);
  status = dkim_eom(session, nullptr);
  if (status != DKIM_STAT_OK) return failed("end of the message", status, session);
  return conf::success();
}

}  // namespace

OpendkimSigner::OpendkimSigner(std::optional<conf::WallTime> fixed_time) : fixed_time_(fixed_time) {}
OpendkimSigner::~OpendkimSigner() = default;

const OpendkimLibrary& OpendkimSigner::library_for(const conf::DkimOptions& options) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::unique_ptr<OpendkimLibrary>& library = libraries_[text_of(options)];
  if (library == nullptr) {
    library = std::make_unique<OpendkimLibrary>();
    library->sign_fields(options);
    if (fixed_time_) library->fix_time(*fixed_time_);
  }
  return *library;
}

conf::Result<std::string> OpendkimSigner::sign(const SigningKey& key, Mail* mail, conf::WallTime now) const {
  if (key.key->algorithm() == Algorithm::kEd25519Sha256 || !reads_rightly(mail->fields()))
    return evp_.sign(key, mail, fixed_time_.value_or(now));
  const conf::DkimOptions& options = key.options;
  const conf::Result<std::vector<std::string>> names =
      names_to_sign(mail->fields(), options.headers, options.oversign);
  if (!names.ok()) return names.error();
  DKIM_STAT status = DKIM_STAT_OK;
  const OpendkimSession session(dkim_sign(library_for(options).handle(), unconst("penstock"), nullptr,
                                          unconst(key.key->pem().c_str()), unconst(key.selector.c_str()),
                                          unconst(key.domain.c_str()), canon_of(options.header),
                                          canon_of(options.body), DKIM_SIGN_RSASHA256, -1L, &status));
  if (session == nullptr) return failed("signing", status, nullptr);
  dkim_set_margin(session.get(), 0);
  if (!options.identity.empty()) dkim_set_signer(session.get(), unconst(options.identity.c_str()));
  const conf::Status fed = feed(session.get(), *mail);
  if (!fed.ok()) return fed.error();
  unsigned char* text = nullptr;
  size_t size = 0;
  static constexpr std::string_view kName = "DKIM-Signature: ";
  status = dkim_getsighdr_d(session.get(), kName.size(), &text, &size);
  if (status != DKIM_STAT_OK) return failed("the field", status, session.get());
  const std::string field = std::string(kName).append(reinterpret_cast<const char*>(text), size);
  const size_t signature = field.rfind("; b=") + 4;
  return fold(std::string_view(field).substr(0, signature), std::string_view(field).substr(signature),
              options.header);
}

}  // namespace dkim
