#include "dkim/signer.h"

#include "dkim/evp_signer.h"
#include "dkim/opendkim_signer.h"

namespace dkim {

conf::Result<Mail> Mail::parse(std::string_view bytes) {
  conf::Result<MailFields> fields = split_mail(bytes);
  if (!fields.ok()) return fields.error();
  const std::string_view body = fields->body;
  for (size_t at = body.find('\n'); at != std::string_view::npos; at = body.find('\n', at + 1)) {
    if (at == 0 || body[at - 1] != '\r')
      return conf::Error{conf::ErrorCode::kInvalid, "the body has a bare LF"};
  }
  for (size_t at = body.find('\r'); at != std::string_view::npos; at = body.find('\r', at + 1)) {
    if (at + 1 == body.size() || body[at + 1] != '\n')
      return conf::Error{conf::ErrorCode::kInvalid, "the body has a bare CR"};
  }
  Mail mail;
  mail.bytes_ = bytes;
  mail.fields_ = std::move(*fields);
  return mail;
}

const std::string& Mail::body_hash(conf::Canonicalization how) {
  std::string& text = body_hashes_[static_cast<size_t>(how)];
  if (text.empty()) {
    const Sha256Value value = dkim::body_hash(fields_.body, how);
    text = base64(value.data(), value.size());
  }
  return text;
}

std::unique_ptr<Signer> make_signer(conf::DkimEngine engine) {
  if (engine == conf::DkimEngine::kOpendkim) return std::make_unique<OpendkimSigner>();
  return std::make_unique<EvpSigner>();
}

}  // namespace dkim
