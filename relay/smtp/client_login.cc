// The part of ClientCore that logs in: between EHLO and the first transaction (RFC 4954).
#include <optional>

#include "relay/smtp/client_core.h"

namespace relay::smtp {

namespace {

using S = ClientState;

// Those of `refused` were tried.
std::optional<AuthMechanism> choose(conf::LoginMechanism wanted, AuthSet offered, AuthSet refused) {
  std::optional<AuthMechanism> chosen;
  const auto usable = [&](AuthMechanism each) { return offered.has(each) && !refused.has(each); };
  switch (wanted) {
    case conf::LoginMechanism::kAny:
      chosen = usable(AuthMechanism::kPlain) ? AuthMechanism::kPlain : AuthMechanism::kLogin;
      break;
    case conf::LoginMechanism::kPlain:
      chosen = AuthMechanism::kPlain;
      break;
    case conf::LoginMechanism::kLogin:
      chosen = AuthMechanism::kLogin;
      break;
    case conf::LoginMechanism::kXoauth2:
      chosen = AuthMechanism::kXoauth2;
      break;
  }
  if (!usable(*chosen)) chosen.reset();
  return chosen;
}

const char* name_of(conf::LoginMechanism wanted) {
  switch (wanted) {
    case conf::LoginMechanism::kAny:
      return "PLAIN or LOGIN";
    case conf::LoginMechanism::kPlain:
      return "PLAIN";
    case conf::LoginMechanism::kLogin:
      return "LOGIN";
    case conf::LoginMechanism::kXoauth2:
      return "XOAUTH2";
  }
  return "";
}

// RFC 4954 §6: 504, and 534 for one that is too weak. Of the user and his secret it says nothing.
bool refuses_mechanism(const bounce::Reply& reply) { return reply.code == 504 || reply.code == 534; }

}  // namespace

// TLS is up, or there is none.
void ClientCore::opened(conf::Instant now) {
  if (!options_.login) {
    ready(now);
    return;
  }
  if (!tls && !options_.login->without_tls) {
    close_unlogged("there is no TLS to protect the login");
    return;
  }
  refused_auth_ = options_.refused_auth;
  if (!choose(options_.login->mechanism, peer.auth, refused_auth_)) refused_auth_ = {};
  if (!choose(options_.login->mechanism, peer.auth, refused_auth_)) {
    close_unlogged(std::string("the server does not offer AUTH ") + name_of(options_.login->mechanism) +
                   (tls ? "" : " without TLS"));
    return;
  }
  want_secret(now);
}

void ClientCore::want_secret(conf::Instant now) {
  go_to(S::kSecret, now);
  ClientEvent event;
  event.kind = ClientEvent::Kind::kSecretWanted;
  events_.push_back(std::move(event));
}

void ClientCore::log_in(std::string secret, conf::Instant now) {
  if (state_ != S::kSecret) {
    wipe(&secret);
    return;
  }
  words_ = std::make_unique<LoginWords>(*choose(options_.login->mechanism, peer.auth, refused_auth_),
                                        options_.login->user, std::move(secret));
  say_secret(words_->command());
  go_to(S::kAuth, now);
}

void ClientCore::say_secret(std::string line) {
  output.append(line);
  output.append("\r\n");  // appended to the line it could leave a copy behind
  wipe(&line);
}

void ClientCore::take_auth(bounce::Reply reply, conf::Instant now) {
  if (reply.code == 334) {
    if (words_->cancelled()) {
      words_.reset();
      close_unlogged("the server goes on asking after the login was cancelled");
      return;
    }
    say_secret(words_->answer());
    arm(now);
    return;
  }
  const AuthMechanism tried = words_->mechanism();
  words_.reset();
  if (reply.positive()) {
    ready(now);
    return;
  }
  if (refuses_mechanism(reply)) {
    refused_auth_.add(tried);
    if (choose(options_.login->mechanism, peer.auth, refused_auth_)) {
      lessons.refused_auth.add(tried);
      return want_secret(now);
    }
  }
  close_refused(std::move(reply));
}

void ClientCore::secret_missing(std::string_view why) {
  if (state_ == S::kSecret) close_unlogged(why);
}

void ClientCore::close_unlogged(std::string_view why) {
  output.append("QUIT\r\n");
  ClientEvent event;
  event.error = why;
  push_closed(std::move(event));
  events_.back().stage = bounce::Stage::kLogin;
}

}  // namespace relay::smtp
