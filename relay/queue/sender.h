// Who sends, as far as turns go: 28 bits of the sender domain, and 4 of the sender within it. What makes the
// reverse-path of each message of a mailing its own is left out of both (VERP: "bounce+1234@n17.news.example"
// and "b-1234-user=host@news.example" are one sender), so that a mailing has the turns of one sender whatever
// its reverse-paths look like. Two that share a number share their turns: no harm but for a longer wait.
#pragma once

#include <cstdint>

#include "conf/vocab/address.h"

namespace relay::queue {

// At most 16 senders of a domain take turns: who waits behind local parts that are drawn at random waits for
// 16 of them, not for all.
inline constexpr uint32_t kLocalBits = 4;

// The null reverse-path, of reports, is one sender. Pure.
uint32_t sender_of(const conf::Mailbox& reverse_path);

}  // namespace relay::queue
