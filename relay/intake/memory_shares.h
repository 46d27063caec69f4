// Memory that clients make the relay hold before it has answered them: messages and recipient lists on their
// way in, commands and replies that wait. Bounded in all and for each client; when all is used, the biggest
// unfinished one of the client that holds most gives way to those who hold less, so that nobody can stop the
// others. Loop thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace relay {

struct MemoryBounds {
  uint64_t total = 512'000'000;
  uint64_t per_client = 128'000'000;   // of a client that may relay
  uint64_t per_stranger = 16'000'000;  // of one that may not
};

class MemoryShares {
 public:
  // What one connection holds. It must be empty when it is destroyed.
  struct Account {
    std::string client;    // client_key()
    bool stranger = true;  // may not relay (yet)
    uint64_t bytes = 0;    // written by MemoryShares alone
    virtual void
    give_way() noexcept = 0;  // gives back all it can, by shrink(); from inside grow() of another
    virtual bool can_give_way() const = 0;

   protected:
    ~Account() = default;
  };

  explicit MemoryShares(MemoryBounds bounds) : bounds_(bounds) {}
  void set_bounds(MemoryBounds bounds) { bounds_ = bounds; }

  // False: its client has its share, or all is used by those who hold no more than it would; nothing has
  // changed. O(1) while there is room, else O(accounts).
  bool grow(Account* account, uint64_t bytes);
  void shrink(Account* account, uint64_t bytes);
  // A message on its way to the disk: counted, refused by nobody, gives way to nobody.
  void lend(const std::string& client, uint64_t bytes);
  void give_back(const std::string& client, uint64_t bytes);

  uint64_t used() const { return used_; }
  uint64_t used_by(const std::string& client) const;
  uint64_t made_way() const { return made_way_; }  // how often one gave way to another
  bool full() const { return used_ >= bounds_.total; }

 private:
  bool make_room(const Account& wanting, uint64_t bytes);
  void add(const std::string& client, uint64_t bytes);
  void subtract(const std::string& client, uint64_t bytes);

  MemoryBounds bounds_;
  uint64_t used_ = 0;
  uint64_t made_way_ = 0;
  std::unordered_map<std::string, uint64_t> by_client_;
  std::unordered_set<Account*> holders_;  // with bytes
};

}  // namespace relay
