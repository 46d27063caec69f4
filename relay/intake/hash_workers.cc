#include "relay/intake/hash_workers.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "relay/intake/secret_hash.h"

namespace relay {

namespace {
constexpr size_t kOfUser = 8;
constexpr size_t kOfClient = 256;
constexpr size_t kOfAll = 4096;
constexpr unsigned kFewestThreads = 2, kMostThreads = 8;
}  // namespace

struct HashWorkers::State {
  // The names that one client tries, in turns.
  struct Client {
    std::list<std::string> turns;
    std::unordered_map<std::string, std::deque<Job>> by_user;
    size_t waiting = 0;
  };

  std::function<void(std::function<void()>)> post;
  std::mutex mutex;
  std::condition_variable work;
  std::list<std::string> turns;  // of clients
  std::unordered_map<std::string, Client> clients;
  size_t waiting = 0;
  bool stopping = false;
  std::vector<std::thread> threads;

  bool add(Job job) {
    Client& client = clients[job.client];
    std::deque<Job>& queue = client.by_user[job.user];
    const bool full = queue.size() >= kOfUser || client.waiting >= kOfClient || waiting >= kOfAll;
    if (!full) {
      if (client.waiting == 0) turns.push_back(job.client);
      if (queue.empty()) client.turns.push_back(job.user);
      ++client.waiting;
      ++waiting;
    }
    const std::string name = job.client, user = job.user;
    if (!full) {
      queue.push_back(std::move(job));
      return true;
    }
    if (queue.empty()) client.by_user.erase(user);
    if (client.waiting == 0) clients.erase(name);
    return false;
  }

  Job take() {
    const auto found = clients.find(turns.front());
    Client& client = found->second;
    const auto queue = client.by_user.find(client.turns.front());
    Job job = std::move(queue->second.front());
    queue->second.pop_front();
    if (queue->second.empty()) {
      client.by_user.erase(queue);
      client.turns.pop_front();
    } else {
      client.turns.splice(client.turns.end(), client.turns, client.turns.begin());
    }
    --waiting;
    if (--client.waiting == 0) {
      clients.erase(found);
      turns.pop_front();
    } else {
      turns.splice(turns.end(), turns, turns.begin());
    }
    return job;
  }

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      work.wait(lock, [this] { return stopping || waiting > 0; });
      if (stopping) return;
      Job job = take();
      lock.unlock();
      const bool good = secret_matches(job.secret, job.hash);
      post([done = std::move(job.done), good] { done(good); });
      lock.lock();
    }
  }
};

HashWorkers::HashWorkers(std::function<void(std::function<void()>)> post)
    : state_(std::make_shared<State>()) {
  state_->post = std::move(post);
  const unsigned count = std::clamp(std::thread::hardware_concurrency(), kFewestThreads, kMostThreads);
  for (unsigned i = 0; i < count; ++i) state_->threads.emplace_back([state = state_.get()] { state->run(); });
}

HashWorkers::~HashWorkers() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->work.notify_all();
  for (std::thread& each : state_->threads) each.join();
}

bool HashWorkers::submit(Job job) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->add(std::move(job))) return false;
  state_->work.notify_one();
  return true;
}

}  // namespace relay
