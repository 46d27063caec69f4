#include "dkim/evp_signer.h"

#include "dkim/signature.h"

namespace dkim {

conf::Result<std::string> EvpSigner::sign(const SigningKey& key, Mail* mail, conf::WallTime now) const {
  const conf::DkimOptions& options = key.options;
  conf::Result<std::vector<std::string>> names =
      names_to_sign(mail->fields(), options.headers, options.oversign);
  if (!names.ok()) return names.error();
  SignatureTags tags;
  tags.algorithm = key.key->algorithm();
  tags.header = options.header;
  tags.body = options.body;
  tags.domain = key.domain;
  tags.selector = key.selector;
  tags.identity = options.identity;
  const int64_t seconds = conf::unix_micros(now) / 1'000'000;
  tags.signed_at = seconds;
  if (options.expire.count() > 0)
    tags.expires_at = seconds + std::chrono::duration_cast<std::chrono::seconds>(options.expire).count();
  tags.body_hash = mail->body_hash(options.body);
  tags.names = std::move(*names);
  const std::string field = unsigned_field(tags);
  const conf::Result<std::string> signature =
      key.key->sign(signed_data(mail->fields(), tags.names, options.header, field));
  if (!signature.ok()) return signature.error();
  return fold(field, signature.value(), options.header);
}

}  // namespace dkim
