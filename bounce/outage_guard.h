// Tells a receiver that is out of order from a list that is out of date: a site that suddenly answers
// "550 5.1.1" for everybody must not empty the lists of its senders. Pure; docs/quarantine.md has the
// reasoning and the measured false rates.
//
// The evidence is what addresses did before. Of those that took mail within `known_good`, hardly one in fifty
// turns Hard in calm times; in an outage most do. A sequential test (CUSUM of the log-likelihood ratio
// between the two shares, Page 1954) adds up every outcome of such addresses, per site. Addresses that never
// took mail say nothing there, so an old list is no outage, however many of it are dead. Where no address is
// known (a fresh installation) a long run of Hard errors without one delivery counts, at sites that delivered
// before.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "conf/quarantine_settings.h"
#include "conf/vocab/time.h"

namespace bounce {

// What a site did before, decayed; it is kept over restarts.
struct SiteHistory {
  double known_delivered = 0, known_hard = 0;  // of addresses that took mail before
  double delivered = 0, hard = 0;              // of all
};

enum class WaveState : uint8_t {
  kOpen,       // Hard errors of the site are held back
  kEnded,      // the site is calm again; the held errors wait for a decision
  kReleased,   // an operator: it was an outage, the errors are forgotten
  kConfirmed,  // an operator: the errors are true
};
const char* to_text(WaveState state);
inline bool is_undecided(WaveState state) { return state <= WaveState::kEnded; }

struct Wave {
  uint64_t id = 0;
  std::string site;
  WaveState state = WaveState::kOpen;
  conf::WallTime began;     // the first refusal of it
  conf::WallTime declared;  // when the evidence was enough
  conf::WallTime last;      // the last refusal that says something: of a known address, or of a cold wave
  uint64_t refusals = 0;    // distinct addresses, as far as they were told apart
  bool cold = false;        // by a run of errors of addresses that nobody knew
  std::string why;          // for people
};

struct GuardVerdict {
  bool hold = false;      // keep the mail as Soft and the address where it is
  bool declared = false;  // the wave begins with this error
  uint64_t wave = 0;      // 0: none, or only a suspicion
};

class OutageGuard {
 public:
  static constexpr size_t kSites = 200'000;  // with a history; beyond it another one gives way to a new one

  // `first_wave`: the number of the next wave.
  OutageGuard(const conf::OutageGuardSettings& settings, uint64_t first_wave);

  // A recipient took mail. `known`: it had before. O(1).
  void delivered(const std::string& site, bool known, conf::WallTime now);
  // A Hard error about a recipient. `address` tells addresses apart. O(evidence).
  GuardVerdict hard(const std::string& site, uint64_t address, bool known, conf::WallTime now);
  // Ends waves that are calm; returns those that changed state, or grew, since the last call.
  std::vector<Wave> changed(conf::WallTime now);
  // An operator's word. False: there is no such wave, or it was decided already.
  bool decide(uint64_t wave, bool was_outage, conf::WallTime now);
  // The operator took his word back: the site is believed no longer, and the wave goes on where it was open.
  void take_back(const Wave& wave);
  // After a restart: what was known, and waves that were open.
  void restore(const std::string& site, const SiteHistory& history);
  void restore(const Wave& wave);
  void reload(const conf::OutageGuardSettings& settings) { settings_ = settings; }

  const Wave* wave_of(const std::string& site) const;  // the open one, or null
  // The addresses of its refusals so far, as hard() was told of them: some of the first. Empty: none.
  std::vector<uint64_t> refused_lately(const std::string& site) const;
  size_t open_waves() const { return waves_.size(); }
  size_t sites() const { return sites_.size(); }  // at most kSites, but for those with an open wave
  // Of sites with outcomes since the last call. O(those)
  std::vector<std::pair<std::string, SiteHistory>> take_histories();

 private:
  struct Site {
    SiteHistory history;
    double evidence = 0;            // log-likelihood ratio, never below 0
    conf::WallTime began;           // of the present rise of the evidence, or of the run
    std::vector<uint64_t> lately;   // addresses of that rise, at most kTold
    uint32_t run = 0;               // Hard errors of distinct addresses without a delivery between them
    uint64_t wave = 0;              // open
    conf::WallTime believed_until;  // an operator confirmed a wave: no new one before this
    bool believed_cold = false;     // it was a cold one
    bool dirty = false;
  };
  Site* site_of(const std::string& name);
  double expected_share(const SiteHistory& history) const;
  void add_evidence(Site* site, bool hard);
  void end(Site* site, Wave* wave, WaveState state);
  static bool note(Site* site, uint64_t address);

  conf::OutageGuardSettings settings_;
  uint64_t next_wave_;
  std::unordered_map<std::string, Site> sites_;
  std::vector<std::string> dirty_;            // of them
  size_t hand_ = 0;                           // where it is looked next for one that may give way
  std::unordered_map<uint64_t, Wave> waves_;  // open
  std::vector<Wave> changed_;
};

}  // namespace bounce
