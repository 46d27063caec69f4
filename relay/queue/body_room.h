// The account of all bodies in memory, within `[spool] body_memory`. Who holds a body holds a Lease, which
// gives its octets back wherever it ends: there is no other way to count, and none to forget.
//
// Shares, so that nothing waits for ever and nothing keeps the others out:
//   kept    what came in lately and was not read back: at most three quarters, and nothing more while others
//           wait. What of it nobody uses is given back first (MessageCache).
//   small   what is read back for a delivery that goes now, one body of at most kSmallBody: an eighth is for
//           them alone, and they take what else is free while no big one waits.
//   big     the same for bigger ones. They take what is free, or one goes alone, however big it is.
// Kept and read bodies together are never more than the budget and one big body. Two more are counted, and
// wait for nothing: what reports are made of, bounded by those who read it, and copies, which are made of
// bodies in memory for servers that take seven bits. What they take is not there for others to be read.
//
// Not counted: the pieces that a connection has encrypted and not sent, and mail that is being received (both
// by connection); a body that is read or sent is shared by all who use it, dots are stuffed as it is sent.
// One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace relay::queue {

enum class BodyShare : uint8_t { kKept, kSmall, kBig, kReport, kCopy };
constexpr size_t kBodyShares = 5;

class BodyRoom {
 public:
  static constexpr uint64_t kSmallBody = 262'144;  // octets, or a sixteenth of a small budget

  explicit BodyRoom(uint64_t budget_bytes) : budget_(budget_bytes) {}
  BodyRoom(const BodyRoom&) = delete;
  BodyRoom& operator=(const BodyRoom&) = delete;

  // So many octets of a room, which outlives it; by default none.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept
        : room_(std::exchange(other.room_, nullptr)),
          share_(other.share_),
          round_(other.round_),
          bytes_(other.bytes_) {}
    Lease& operator=(Lease&& other) noexcept {
      if (this == &other) return *this;
      give_back();
      room_ = std::exchange(other.room_, nullptr);
      share_ = other.share_;
      round_ = other.round_;
      bytes_ = other.bytes_;
      return *this;
    }
    ~Lease() { give_back(); }

    uint64_t bytes() const { return room_ == nullptr ? 0 : bytes_; }
    bool kept() const { return room_ != nullptr && share_ == BodyShare::kKept; }
    void shrink_to(uint64_t bytes);  // it is no more than that; does nothing when it is
    void give_back();

   private:
    friend class BodyRoom;
    Lease(BodyRoom* room, BodyShare share, uint32_t round, uint64_t bytes)
        : room_(room), share_(share), round_(round), bytes_(bytes) {}
    BodyRoom* room_ = nullptr;
    BodyShare share_ = BodyShare::kKept;
    uint32_t round_ = 0;  // of its share, when it was taken
    uint64_t bytes_ = 0;
  };

  // For what came in. Nothing: there is no room, and it rests in the spool.
  std::optional<Lease> keep(uint64_t bytes);
  // For what is read back, of the share that fits its size: whoever calls it has asked fits() in the same
  // turn of the loop, or may not wait.
  Lease take(BodyShare share, uint64_t bytes);

  BodyShare share_of(uint64_t bytes) const;  // kSmall or kBig
  // Whether so much more may be read back, beside what others of the share were `promised`.
  bool fits(BodyShare share, uint64_t bytes, uint64_t promised) const;

  // The most of a share that is read back, when nothing else is in memory.
  uint64_t most(BodyShare share) const {
    return share == BodyShare::kSmall ? for_small() : budget_ - for_small();
  }
  // Another one is first in line for the share. Of what is taken from now on, and held still.
  void begin_passing(BodyShare share);
  uint64_t passed(BodyShare share) const { return shares_[static_cast<size_t>(share)].passed; }
  void wait(bool small, bool big) {  // somebody does, or nobody
    small_wait_ = small;
    big_wait_ = big;
  }

  void set_budget(uint64_t bytes);
  uint64_t held() const { return held_; }
  // Of these, what was read back for deliveries that go now.
  uint64_t read_back() const { return of(BodyShare::kSmall) + of(BodyShare::kBig); }
  uint64_t of_reports() const { return of(BodyShare::kReport); }
  // What waits for no room.
  uint64_t beside() const { return of_reports() + of(BodyShare::kCopy); }
  // Another number when something may fit that did not before.
  uint64_t changes() const { return changes_; }

 private:
  struct Share {
    uint64_t bytes = 0;
    uint64_t passed = 0;  // of these, since the round began
    uint32_t round = 0;   // begun when another one became first in line
  };
  uint64_t of(BodyShare share) const { return shares_[static_cast<size_t>(share)].bytes; }
  uint64_t for_small() const { return budget_ / 8; }
  // Held, and what the small ones have not taken of their own.
  uint64_t spoken_for() const;
  void give_back(BodyShare share, uint32_t round, uint64_t bytes);

  uint64_t budget_;
  uint64_t held_ = 0;
  std::array<Share, kBodyShares> shares_{};
  bool small_wait_ = false, big_wait_ = false;
  uint64_t changes_ = 0;
};

}  // namespace relay::queue
