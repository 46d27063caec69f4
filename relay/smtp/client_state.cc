#include "relay/smtp/client_state.h"

#include "conf/vocab/state_table.h"

namespace relay::smtp {

namespace {

using S = ClientState;

constexpr auto set = [](auto... states) { return conf::state_set(states...); };

struct Row {
  S from;
  uint32_t to;
  bounce::Stage stage;
  const char* awaited;
};

constexpr Row kRows[] = {
    {S::kGreeting, set(S::kEhlo, S::kClosed), bounce::Stage::kGreeting, "the greeting"},
    {S::kEhlo, set(S::kHelo, S::kStartTls, S::kSecret, S::kReady, S::kClosed), bounce::Stage::kEhlo,
     "the reply to EHLO"},
    {S::kHelo, set(S::kSecret, S::kReady, S::kClosed), bounce::Stage::kEhlo, "the reply to HELO"},
    {S::kStartTls, set(S::kHandshake, S::kSecret, S::kReady, S::kClosed), bounce::Stage::kTls,
     "the reply to STARTTLS"},
    {S::kHandshake, set(S::kEhlo, S::kClosed), bounce::Stage::kTls, "the TLS handshake"},
    {S::kSecret, set(S::kAuth, S::kClosed), bounce::Stage::kLogin, "the secret"},
    {S::kAuth, set(S::kSecret, S::kReady, S::kClosed), bounce::Stage::kLogin, "the reply to AUTH"},
    {S::kReady, set(S::kReset, S::kMail, S::kQuit, S::kClosed), bounce::Stage::kMail, "nothing"},
    {S::kReset, set(S::kMail, S::kClosed), bounce::Stage::kMail, "the reply to RSET"},
    {S::kMail, set(S::kRcpt, S::kReady, S::kQuit, S::kClosed), bounce::Stage::kMail, "the reply to MAIL"},
    {S::kRcpt, set(S::kData, S::kDot, S::kReady, S::kQuit, S::kClosed), bounce::Stage::kRcpt,
     "the reply to RCPT"},
    {S::kData, set(S::kDot, S::kReady, S::kQuit, S::kClosed), bounce::Stage::kData, "the reply to DATA"},
    {S::kDot, set(S::kReady, S::kClosed), bounce::Stage::kDot, "the reply to the end of data"},
    {S::kQuit, set(S::kClosed), bounce::Stage::kMail, "the reply to QUIT"},
    {S::kClosed, set(), bounce::Stage::kConnect, "nothing"},
};

static_assert(conf::rows_in_order(kRows), "the table is indexed by the state");

const Row& row(S state) { return kRows[static_cast<size_t>(state)]; }

}  // namespace

bool may_follow(ClientState from, ClientState to) { return (row(from).to & set(to)) != 0; }
bounce::Stage stage_of(ClientState state) { return row(state).stage; }
const char* awaited(ClientState state) { return row(state).awaited; }

}  // namespace relay::smtp
