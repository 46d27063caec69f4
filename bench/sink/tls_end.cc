#include "bench/sink/tls_end.h"

#include <utility>

namespace bench {
namespace {

using namespace std::string_view_literals;  // NOLINT(build/namespaces)

constexpr std::string_view kAlert =
    "\x15\x03\x03\x00\x02\x02\x28"sv;  // fatal, handshake_failure (RFC 8446 §6.2)
constexpr std::string_view kGarbage = "\x7fThis is no TLS record. \x00\x01\xff\xfe 250 Ok\r\n"sv;

}  // namespace

TlsEnd::TlsEnd(std::shared_ptr<relay::tls::Context> context, Handshake how)
    : session_(relay::tls::Session::accept(std::move(context))), how_(how) {}

bool TlsEnd::receive(std::string_view cipher, std::string* plain, std::string* wire) {
  switch (how_) {
    case Handshake::kStall:
      return true;
    case Handshake::kRefuse:
      wire->append(kAlert);
      return false;
    case Handshake::kGarbage:
      wire->append(kGarbage);
      return false;
    case Handshake::kBreak: {
      std::string flight;
      (void)session_->receive(cipher, plain).ok();
      drain(&flight);
      wire->append(flight, 0, flight.size() / 2);
      return flight.empty();  // a ClientHello may come in two segments
    }
    case Handshake::kGood:
      break;
  }
  const bool good = session_->receive(cipher, plain).ok();
  drain(wire);
  return good && !session_->peer_closed();
}

void TlsEnd::send(std::string_view plain, std::string* wire) {
  (void)session_->send(plain).ok();  // fails only after a broken stream, which receive() has told of
  drain(wire);
}

void TlsEnd::drain(std::string* wire) {
  const std::string_view pending = session_->pending();
  wire->append(pending);
  session_->consume(pending.size());
}

}  // namespace bench
