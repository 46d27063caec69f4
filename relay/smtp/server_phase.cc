#include "relay/smtp/server_phase.h"

#include <cstddef>

namespace relay::smtp {

namespace {

constexpr uint32_t bit(Phase phase) { return 1u << static_cast<int>(phase); }

// Phase::kClosed may follow every phase and is added to each row. Rows are in the order of the enumerators.
constexpr uint32_t kSwallowing = bit(Phase::kSwallow);
constexpr uint32_t kFollowers[kPhases] = {
    /* kBeforeGreeting */ bit(Phase::kGreeted),
    /* kGreeted */ bit(Phase::kReady) | bit(Phase::kTlsHandshake) | kSwallowing,
    /* kReady */ bit(Phase::kMail) | bit(Phase::kAuthLine) | bit(Phase::kAuthWait) |
        bit(Phase::kTlsHandshake) | kSwallowing,
    /* kMail */ bit(Phase::kReady) | bit(Phase::kRecipients) | bit(Phase::kTlsHandshake) | kSwallowing,
    /* kRecipients */ bit(Phase::kReady) | bit(Phase::kData) | bit(Phase::kChunk) |
        bit(Phase::kTlsHandshake) | kSwallowing,
    /* kData */ bit(Phase::kReady) | bit(Phase::kOffered),
    /* kChunk */ bit(Phase::kReady) | bit(Phase::kChunkGap) | bit(Phase::kOffered),
    /* kChunkGap */ bit(Phase::kReady) | bit(Phase::kChunk) | bit(Phase::kTlsHandshake),
    /* kSwallow */ bit(Phase::kGreeted) | bit(Phase::kReady) | bit(Phase::kMail) | bit(Phase::kRecipients),
    /* kOffered */ bit(Phase::kReady),
    /* kAuthLine */ bit(Phase::kReady) | bit(Phase::kAuthWait),
    /* kAuthWait */ bit(Phase::kReady) | bit(Phase::kAuthPenalty),
    /* kAuthPenalty */ bit(Phase::kReady),
    /* kTlsHandshake */ bit(Phase::kGreeted),
    /* kClosed */ 0,
};

}  // namespace

bool may_follow(Phase from, Phase to) {
  if (from == Phase::kClosed) return false;
  return to == Phase::kClosed || (kFollowers[static_cast<size_t>(from)] & bit(to)) != 0;
}

bool waits(Phase phase) {
  return phase == Phase::kOffered || phase == Phase::kAuthWait || phase == Phase::kAuthPenalty;
}

}  // namespace relay::smtp
