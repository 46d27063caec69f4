#include "bounce/outage_guard.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace bounce {

namespace {

constexpr size_t kTold = 64;           // addresses of one rise that are told apart
constexpr size_t kLooks = 64;          // at a few sites each, of which one may give way to a new one
constexpr double kMemory = 4000;       // outcomes; then older ones weigh half
constexpr double kBaselineFactor = 3;  // a site whose share is worse than others is given three times its own
constexpr double kMost = 1.5;          // times `evidence`: so a wave can end by deliveries
constexpr double kSuspicion = 0.5;    // times `evidence`: from here on errors are held, before a wave is sure
constexpr double kFewOutcomes = 200;  // below these a share of the site's own says nothing

void age(double* good, double* bad) {
  if (*good + *bad < kMemory) return;
  *good /= 2;
  *bad /= 2;
}

}  // namespace

const char* to_text(WaveState state) {
  constexpr std::array<const char*, 4> kWords = {"open", "ended", "released", "confirmed"};
  return kWords[static_cast<size_t>(state)];
}

OutageGuard::OutageGuard(const conf::OutageGuardSettings& settings, uint64_t first_wave)
    : settings_(settings), next_wave_(first_wave) {}

double OutageGuard::expected_share(const SiteHistory& history) const {
  const double all = history.known_delivered + history.known_hard;
  const double own = all < kFewOutcomes ? 0 : kBaselineFactor * history.known_hard / all;
  return std::clamp(own, settings_.expected_share, settings_.outage_share / 2);
}

void OutageGuard::add_evidence(Site* site, bool hard) {
  const double calm = expected_share(site->history);
  const double outage = settings_.outage_share;
  const double step = hard ? std::log(outage / calm) : std::log((1 - outage) / (1 - calm));
  site->evidence = std::clamp(site->evidence + step, 0.0, kMost * settings_.evidence);
}

// False when the address is among the latest already: the same error again proves nothing.
bool OutageGuard::note(Site* site, uint64_t address) {
  if (std::find(site->lately.begin(), site->lately.end(), address) != site->lately.end()) return false;
  if (site->lately.size() < kTold) site->lately.push_back(address);
  return true;
}

// Found or begun. When there are too many, one of some that nothing is held against gives way.
OutageGuard::Site* OutageGuard::site_of(const std::string& name) {
  if (const auto known = sites_.find(name); known != sites_.end()) return &known->second;
  for (size_t i = 0; i < kLooks && sites_.size() >= kSites; ++i) {
    const size_t bucket = hand_++ % sites_.bucket_count();
    const auto goes = std::find_if(sites_.begin(bucket), sites_.end(bucket), [](const auto& named) {
      return named.second.wave == 0 && named.second.evidence == 0 && !named.second.dirty;
    });
    if (goes != sites_.end(bucket)) sites_.erase(std::string(goes->first));
  }
  return &sites_[name];
}

void OutageGuard::restore(const std::string& site, const SiteHistory& history) {
  site_of(site)->history = history;
}

void OutageGuard::delivered(const std::string& name, bool known, conf::WallTime now) {
  if (!settings_.enabled) return;
  Site& site = *site_of(name);
  if (!std::exchange(site.dirty, true)) dirty_.push_back(name);
  site.run = 0;
  ++site.history.delivered;
  age(&site.history.delivered, &site.history.hard);
  const auto open = waves_.find(site.wave);
  if (known) {
    ++site.history.known_delivered;
    age(&site.history.known_delivered, &site.history.known_hard);
  }
  if (known || site.believed_cold || (open != waves_.end() && open->second.cold)) add_evidence(&site, false);
  if (site.evidence > 0) return;
  site.lately.clear();
  site.believed_until = {};
  site.believed_cold = false;
  if (open != waves_.end()) {
    open->second.last = std::max(open->second.last, now);
    end(&site, &open->second, WaveState::kEnded);
  }
}

GuardVerdict OutageGuard::hard(const std::string& name, uint64_t address, bool known, conf::WallTime now) {
  if (!settings_.enabled) return {};
  Site& site = *site_of(name);
  if (!std::exchange(site.dirty, true)) dirty_.push_back(name);
  const auto open = waves_.find(site.wave);
  if (open != waves_.end()) {
    Wave& wave = open->second;
    if (now - wave.last < settings_.calm_after) {
      // A large site refuses somebody unknown every hour of its life: that makes no wave longer.
      if (known || wave.cold) wave.last = std::max(wave.last, now);
      if (note(&site, address)) {
        ++wave.refusals;
        if (known || wave.cold) add_evidence(&site, true);
      }
      return {true, false, wave.id};
    }
    end(&site, &wave, WaveState::kEnded);
  }
  const bool believed = now < site.believed_until;
  if (!believed && (site.lately.empty() || now - site.began > settings_.calm_after)) {
    site.lately.clear();
    site.evidence = 0;
    site.run = 0;
    site.believed_cold = false;
    site.began = now;
  }
  const bool fresh = note(&site, address);
  const SiteHistory before = site.history;
  if (fresh) {
    ++site.run;
    ++site.history.hard;
    age(&site.history.delivered, &site.history.hard);
    if (known || (believed && site.believed_cold)) add_evidence(&site, true);
    if (known) {
      ++site.history.known_hard;
      age(&site.history.known_delivered, &site.history.known_hard);
    }
  }
  if (believed) {
    if (known || site.believed_cold) site.believed_until = now + settings_.calm_after;
    return {};
  }
  const double outcomes = before.delivered + before.hard;
  // The run itself is part of the history by now; the share before it is what speaks for the site.
  const bool good_site = before.delivered >= settings_.cold_deliveries &&
                         before.hard - site.run + 1 <= settings_.cold_share * outcomes;
  const bool cold = site.run >= settings_.cold_run && good_site;
  const bool sure = site.evidence >= settings_.evidence;
  if (!cold && !sure) {
    const bool suspect = known && site.evidence >= kSuspicion * settings_.evidence;
    return {suspect, false, 0};
  }
  Wave wave;
  wave.id = next_wave_++;
  wave.site = name;
  wave.began = site.began;
  wave.declared = wave.last = now;
  wave.refusals = std::max<uint64_t>(site.lately.size(), site.run);
  wave.cold = !sure;
  wave.why = sure ? "addresses that took mail before are refused, far more than this site ever did"
                  : "a run of refusals without one delivery, at a site that refused few before";
  if (!sure) site.evidence = kMost * settings_.evidence;
  site.wave = wave.id;
  waves_[wave.id] = wave;
  changed_.push_back(wave);
  return {true, true, wave.id};
}

void OutageGuard::end(Site* site, Wave* wave, WaveState state) {
  wave->state = state;
  changed_.push_back(*wave);
  waves_.erase(wave->id);
  site->wave = 0;
  site->evidence = 0;
  site->run = 0;
  site->lately.clear();
}

std::vector<Wave> OutageGuard::changed(conf::WallTime now) {
  std::vector<uint64_t> calm;
  for (const auto& [id, wave] : waves_) {
    if (now - wave.last >= settings_.calm_after) calm.push_back(id);
  }
  for (const uint64_t id : calm) {
    Wave& wave = waves_.at(id);
    end(&sites_[wave.site], &wave, WaveState::kEnded);
  }
  std::vector<Wave> out = std::move(changed_);
  changed_.clear();
  for (const auto& [id, wave] : waves_) out.push_back(wave);
  return out;
}

bool OutageGuard::decide(uint64_t id, bool was_outage, conf::WallTime now) {
  const auto found = waves_.find(id);
  if (found == waves_.end()) return false;
  Site& site = sites_[found->second.site];
  const bool cold = found->second.cold;
  end(&site, &found->second, was_outage ? WaveState::kReleased : WaveState::kConfirmed);
  if (was_outage) return true;
  // What this site says is believed until its deliveries outweigh its refusals, as they would end a wave.
  site.believed_until = now + settings_.calm_after;
  site.believed_cold = cold;
  site.evidence = kMost * settings_.evidence;
  return true;
}

void OutageGuard::take_back(const Wave& wave) {
  Site& site = *site_of(wave.site);
  site.believed_until = {};
  site.believed_cold = false;
  if (wave.state != WaveState::kOpen || waves_.contains(wave.id)) return;
  if (site.wave == 0) return restore(wave);
  changed_.push_back(wave);  // another one of this site is open by now
  changed_.back().state = WaveState::kEnded;
}

void OutageGuard::restore(const Wave& wave) {
  next_wave_ = std::max(next_wave_, wave.id + 1);
  if (wave.state != WaveState::kOpen) return;
  waves_[wave.id] = wave;
  Site& site = sites_[wave.site];
  site.wave = wave.id;
  site.evidence = kMost * settings_.evidence;
}

const Wave* OutageGuard::wave_of(const std::string& name) const {
  const auto site = sites_.find(name);
  if (site == sites_.end()) return nullptr;
  const auto wave = waves_.find(site->second.wave);
  return wave == waves_.end() ? nullptr : &wave->second;
}

std::vector<uint64_t> OutageGuard::refused_lately(const std::string& name) const {
  const auto site = sites_.find(name);
  return site == sites_.end() ? std::vector<uint64_t>() : site->second.lately;
}

std::vector<std::pair<std::string, SiteHistory>> OutageGuard::take_histories() {
  std::vector<std::pair<std::string, SiteHistory>> out;
  for (const std::string& name : std::exchange(dirty_, {})) {
    Site& site = sites_.at(name);
    site.dirty = false;
    out.emplace_back(name, site.history);
  }
  return out;
}

}  // namespace bounce
