#include "relay/smtp/sasl.h"

#include "conf/vocab/text.h"
#include "relay/smtp/login_words.h"

namespace relay::smtp {

namespace {

constexpr size_t kCredentialOctets = 255;  // RFC 4616 §2: SASL names and passwords of up to 255 octets

Sasl::Step malformed(std::string* reply) {
  *reply = "501 5.5.2 malformed authentication response";
  return Sasl::Step::kFailed;
}

}  // namespace

Sasl::Step Sasl::begin(std::string_view mechanism, bool has_initial, std::string_view initial,
                       std::string* reply) {
  clear();
  if (mechanism == "PLAIN") {
    want_ = Want::kPlain;
    *reply = "334 ";
  } else if (mechanism == "LOGIN") {
    want_ = Want::kLoginUser;
    *reply = "334 VXNlcm5hbWU6";
  } else {
    *reply = "504 5.5.4 PLAIN and LOGIN are the mechanisms here";
    return Step::kFailed;
  }
  if (!has_initial) return Step::kChallenge;
  // RFC 4954 §4: "=" is an empty response.
  return respond(initial == "=" ? std::string_view() : initial, reply);
}

Sasl::Step Sasl::respond(std::string_view line, std::string* reply) {
  if (line == "*") {
    *reply = "501 5.7.0 authentication cancelled";
    return Step::kFailed;
  }
  std::string decoded;
  const bool good = conf::decode_base64(line, &decoded);
  const Step step = good ? take(decoded, reply) : malformed(reply);
  wipe(&decoded);
  return step;
}

Sasl::Step Sasl::take(std::string_view decoded, std::string* reply) {
  if (want_ == Want::kPlain) return take_plain(decoded, reply);
  const bool nul = decoded.find('\0') != std::string_view::npos;
  if (decoded.empty() || decoded.size() > kCredentialOctets || nul) return malformed(reply);
  if (want_ == Want::kLoginUser) {
    user_ = std::string(decoded);
    want_ = Want::kLoginSecret;
    *reply = "334 UGFzc3dvcmQ6";
    return Step::kChallenge;
  }
  secret_ = std::string(decoded);
  return Step::kCredentials;
}

// message = [authzid] NUL authcid NUL passwd
Sasl::Step Sasl::take_plain(std::string_view decoded, std::string* reply) {
  const size_t first = decoded.find('\0');
  const size_t second = first == std::string_view::npos ? first : decoded.find('\0', first + 1);
  if (second == std::string_view::npos) return malformed(reply);
  const std::string_view acting_as = decoded.substr(0, first);
  const std::string_view user = decoded.substr(first + 1, second - first - 1);
  const std::string_view secret = decoded.substr(second + 1);
  if (user.empty() || user.size() > kCredentialOctets || secret.empty() ||
      secret.size() > kCredentialOctets || secret.find('\0') != std::string_view::npos) {
    return malformed(reply);
  }
  if (!acting_as.empty() && acting_as != user) {  // nobody acts for another here
    *reply = "535 5.7.8 the authorization identity must be empty or the user's own";
    return Step::kFailed;
  }
  user_ = std::string(user);
  secret_ = std::string(secret);
  return Step::kCredentials;
}

void Sasl::clear() {
  want_ = Want::kNothing;
  user_.clear();
  wipe(&secret_);
}

}  // namespace relay::smtp
