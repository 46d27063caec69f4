#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <utility>

#include "conf/vocab/check.h"
#include "relay/tls/context.h"
#include "relay/tls/context_state.h"

namespace relay::tls {
namespace {

constexpr long kDaySeconds = 24 * 3600;

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct ExtensionFree {
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};

bool add_names(X509* certificate, const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "DNS:" : ",DNS:") + name;
  const std::unique_ptr<X509_EXTENSION, ExtensionFree> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, list.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key, const std::vector<std::string>& names) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const auto* common = reinterpret_cast<const unsigned char*>(names.front().c_str());
  uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return false;
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kDaySeconds) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kDaySeconds) != nullptr &&
         X509_set_pubkey(certificate, key) == 1 &&
         X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>("penstock test"), -1, -1,
                                    0) == 1 &&
         (names.front().size() > 64 ||  // ub-common-name (RFC 5280 appendix A)
          X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, common, -1, -1, 0) == 1) &&
         X509_set_issuer_name(certificate, subject) == 1 && add_names(certificate, names) &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

}  // namespace

conf::Result<std::shared_ptr<Context>> Context::self_signed(const std::vector<std::string>& names) {
  CHECK(!names.empty());
  ERR_clear_error();
  auto state = std::make_unique<State>();
  state->ctx = make_ctx(TLS_server_method());
  const std::unique_ptr<EVP_PKEY, KeyFree> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const std::unique_ptr<X509, CertificateFree> certificate(X509_new());
  if (key == nullptr || certificate == nullptr || !fill(certificate.get(), key.get(), names) ||
      SSL_CTX_use_certificate(state->ctx.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(state->ctx.get(), key.get()) != 1)
    return conf::Error{conf::ErrorCode::kInvalid,
                       openssl_error("no certificate can be made for " + names.front())};
  return std::shared_ptr<Context>(new Context(std::move(state)));
}

}  // namespace relay::tls
