// Communicators: a file in the server's directory, the board, on which ranks meet. Ranks are processes, or threads of
// one; each reads the memory of the others' chips directly.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "hccl.h"

namespace jumar {

namespace {

constexpr int64_t kGraceMs = 3000;

int64_t seconds_of(const char* variable, int64_t otherwise) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == 0) return otherwise * 1000;
  const int64_t seconds = std::strtoll(text, nullptr, 10);
  return seconds > 0 ? seconds * 1000 : kForever;  // 0: no limit, as with the vendor
}

std::string path_of(const std::string& id) { return std::string(std::getenv("JUMAR_SERVER")) + "/communicator-" + id; }

Board* map_board(const std::string& id) {
  const int fd = open(path_of(id).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return nullptr;
  void* mapped = MAP_FAILED;
  if (ftruncate(fd, sizeof(Board)) == 0) {  // whoever comes first; the rest is zeros
    mapped = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  close(fd);
  return mapped != MAP_FAILED ? static_cast<Board*>(mapped) : nullptr;
}

// Whether this process has not joined as that rank before.
bool first_time(const std::string& id, uint32_t rank) {
  static std::mutex mutex;
  static auto* joined = new std::set<std::pair<std::string, uint32_t>>;
  std::lock_guard<std::mutex> guard(mutex);
  return joined->emplace(id, rank).second;
}

}  // namespace

int64_t connect_limit_ms() { return seconds_of("HCCL_CONNECT_TIMEOUT", 120); }
int64_t exec_limit_ms() { return seconds_of("HCCL_EXEC_TIMEOUT", 1800); }

Communicator::Communicator(std::string id, uint32_t ranks, uint32_t rank, std::string name, Board* board)
    : id(std::move(id)),
      name(std::move(name)),
      ranks(ranks),
      rank(rank),
      chip(physical_chip(current_chip())),
      number(Trace::get().name("communicator", this->id)),
      board_(board),
      imagined_(Server::get()->settings().imagined != 0) {}

Communicator::~Communicator() {
  mine().left = 1;
  munmap(board_, sizeof(Board));
}

std::string Communicator::describe() const {
  return "rank " + std::to_string(rank) + " of " + std::to_string(ranks) + " of communicator " + name;
}

std::string Communicator::why_absent(uint32_t of) {
  const RankState& other = state(of);
  const std::string who = "rank " + std::to_string(of) + " (process " + std::to_string(other.pid) + ")";
  if (other.left.load() != 0) return who + " has left the communicator";
  if (other.joined.load() != 0 && !Server::get()->lives(other.slot, other.pid)) return who + " has ended";
  return "";
}

void Communicator::mirror() {
  RankState& own = mine();
  for (uint32_t other = 0; other < ranks; ++other) {
    RankState& it = state(other);
    if (other == rank) continue;
    it.request = own.request;
    it.send = own.send;
    it.receive = own.receive;
    std::copy(own.send_counts, own.send_counts + ranks, it.send_counts);
    std::copy(own.send_offsets, own.send_offsets + ranks, it.send_offsets);
  }
}

void Communicator::break_off(const std::string& why, aclError error) {
  broken_ms_ = now_ms();
  mine().left = 1;
  const std::string text = describe() + ": " + why;
  std::fprintf(stderr, "jumar: %s\n", text.c_str());  // a watchdog may end the program before it looks for an error
  Engine::get().fail_later(text, error);
}

bool Communicator::broken_for_long() const { return broken() && now_ms() - broken_ms_ > kGraceMs; }

HcclResult Communicator::open_windows() {
  for (uint32_t other = 0; other < ranks; ++other) {
    const RankState& it = state(other);
    if (it.ranks != ranks) {
      fail(hccl::kBadParameter, describe() + ": rank " + std::to_string(other) + " says that there are " +
                                    std::to_string(it.ranks) + " ranks");
      return hccl::kBadParameter;
    }
    const bool own = it.pid == getpid();
    windows_.push_back(own ? it.chip : foreign_window(it.pid, it.window_fd));
    if (own || windows_.back() != 0) continue;
    fail(hccl::kInternal, describe() + " cannot reach the memory of rank " + std::to_string(other) + " (process " +
                              std::to_string(it.pid) + "): " + std::strerror(errno));
    return hccl::kInternal;
  }
  return hccl::kSuccess;
}

std::shared_ptr<Communicator> Communicator::join(const std::string& id, uint32_t ranks, uint32_t rank,
                                                 const std::string& name, HcclResult* result) {
  const auto refused = [&](HcclResult code, const std::string& text) {
    *result = fail(code, text);
    return nullptr;
  };
  if (usable() != code::kSuccess) return *result = hccl::kInternal, nullptr;
  if (ranks == 0 || ranks > kMaxRanks || rank >= ranks) {
    return refused(hccl::kBadParameter, "rank " + std::to_string(rank) + " of " + std::to_string(ranks) +
                                            " ranks: a virtual server holds " + std::to_string(kMaxRanks));
  }
  Window* memory = jumar::window(physical_chip(current_chip()));
  Board* board = memory != nullptr ? map_board(id) : nullptr;
  if (board == nullptr) return refused(hccl::kInternal, "cannot make the file " + path_of(id));
  RankState& mine = board->ranks[rank];
  if (mine.ranks != 0 || !first_time(id, rank)) {  // or the others would be waited for in vain
    munmap(board, sizeof(Board));
    return refused(hccl::kBadParameter, "rank " + std::to_string(rank) + " of communicator " + id +
                                            " is taken; does the store still hold the id of an earlier group?");
  }
  std::shared_ptr<Communicator> made(new Communicator(id, ranks, rank, name.empty() ? id : name, board));
  mine.ranks = ranks;
  mine.pid = getpid();
  mine.slot = Server::get()->slot();
  mine.chip = made->chip;
  mine.window_fd = memory->fd;
  mine.joined = 1;
  *result = hccl::kSuccess;
  return made;
}

HcclResult Communicator::gather() {
  if (imagined()) {
    unlink(path_of(id).c_str());
    windows_.assign(ranks, chip);
    return hccl::kSuccess;
  }
  const int64_t end = now_ms() + std::min(connect_limit_ms(), kForever / 2);
  for (uint32_t other = 0; other < ranks; ++other) {
    while (state(other).joined.load() == 0) {
      if (now_ms() >= end) {
        return fail(hccl::kTimeout,
                    describe() + ": rank " + std::to_string(other) + " has not joined in time (HCCL_CONNECT_TIMEOUT)");
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    const std::string why = why_absent(other);
    if (!why.empty()) return fail(hccl::kRemote, describe() + ": " + why);
  }
  unlink(path_of(id).c_str());  // everybody has it
  std::string members = std::to_string(number);
  for (uint32_t other = 0; other < ranks; ++other) members += " " + std::to_string(state(other).pid);
  Trace::get().name("members", members);
  return open_windows();
}

}  // namespace jumar
