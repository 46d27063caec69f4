#include "relay/intake/places.h"

#include <utility>

namespace relay {

namespace {

std::string of_both(const std::string& listener, const std::string& client) {
  return listener + ' ' + client;
}

template <typename Map>
uint32_t count_in(const Map& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? 0 : found->second;
}

template <typename Map>
void count_down(Map* map, const std::string& key) {
  const auto found = map->find(key);
  if (--found->second == 0) map->erase(found);
}

}  // namespace

struct Places::Place {
  Place(std::shared_ptr<Counts> all, std::string name, std::string both)
      : counts(std::move(all)), listener(std::move(name)), client(std::move(both)) {
    ++counts->of_listener[listener];
    ++counts->of_client[client];
  }
  ~Place() {
    count_down(&counts->of_listener, listener);
    count_down(&counts->of_client, client);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  std::shared_ptr<Counts> counts;
  std::string listener, client;
};

Places::Full Places::full(const conf::Listener& listener, const std::string& client) const {
  if (taken(listener.name) >= listener.max_connections) return Full::kOfListener;
  const uint32_t of_client = count_in(counts_->of_client, of_both(listener.name, client));
  return of_client >= listener.max_connections_per_client ? Full::kOfClient : Full::kNo;
}

std::shared_ptr<const void> Places::take(const std::string& listener, const std::string& client) {
  return std::make_shared<Place>(counts_, listener, of_both(listener, client));
}

uint32_t Places::taken(const std::string& listener) const { return count_in(counts_->of_listener, listener); }

}  // namespace relay
