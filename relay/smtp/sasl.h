// One AUTH exchange: PLAIN (RFC 4616) or LOGIN, up to the credentials (RFC 4954). Checks nothing itself.
#pragma once

#include <string>
#include <string_view>

namespace relay::smtp {

class Sasl {
 public:
  enum class Step {
    kChallenge,    // `reply` is a 334 line
    kCredentials,  // user() and secret() are there
    kFailed,       // `reply` refuses
  };

  Sasl() = default;
  Sasl(const Sasl&) = delete;
  Sasl& operator=(const Sasl&) = delete;
  ~Sasl() { clear(); }

  Step begin(std::string_view mechanism, bool has_initial, std::string_view initial, std::string* reply);
  Step respond(std::string_view line, std::string* reply);  // one line of the client, without CRLF

  const std::string& user() const { return user_; }
  const std::string& secret() const { return secret_; }
  void clear();  // forgets the secret

 private:
  enum class Want { kNothing, kPlain, kLoginUser, kLoginSecret };
  Step take(std::string_view decoded, std::string* reply);
  Step take_plain(std::string_view decoded, std::string* reply);

  Want want_ = Want::kNothing;
  std::string user_;
  std::string secret_;
};

}  // namespace relay::smtp
