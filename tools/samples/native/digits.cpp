// Classifies handwritten digits in C++, one image after another on one thread, then all of them on several, and compares.
//
//     graphene compile tools/cli/demo/digits.onnx -o digits.o
//     g++ -std=c++17 -pthread digits.cpp digits.o -o digits
//     ./digits tools/cli/demo/digits-images.npy
//
// Prints the class of each image, one a line.
#include "digits.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t Pixels = 28 * 28;
constexpr std::size_t Classes = 10;

// The compiled model with a workspace that grows as runs need it. One object serves one thread at a time.
class Digits {
public:
    std::vector<float> run(const std::uint8_t *images, std::int64_t count, unsigned threads) {
        const std::int64_t dims[DIGITS_DIM_COUNT] = {count};
        const std::size_t bytes = digits_workspace_size(dims);
        if (bytes > workspace_.size() * sizeof(Line)) {
            workspace_.resize((bytes + sizeof(Line) - 1) / sizeof(Line));
        }
        std::vector<float> logits(digits_output_size(DIGITS_OUTPUT_LOGITS, dims) / sizeof(float));
        const void *inputs[] = {images};
        void *outputs[] = {logits.data()};
        const int error = digits_run_parallel(
            inputs, outputs, workspace_.data(), dims, bytes, threads > 1 ? &Digits::share : nullptr, &threads, nullptr);
        if (error != DIGITS_OK) {
            throw std::runtime_error(digits_error_message(error));
        }
        return logits;
    }

private:
    struct alignas(DIGITS_WORKSPACE_ALIGNMENT) Line {
        unsigned char bytes[DIGITS_WORKSPACE_ALIGNMENT];
    };

    // Equal parts for as many threads as the run was told; a program would hand them to its pool.
    static void share(void *pool, std::int64_t count, digits_task task, void *tasks) {
        const std::int64_t threads = *static_cast<unsigned *>(pool);
        std::vector<std::thread> started;
        for (std::int64_t t = 1; t < threads; t++) {
            started.emplace_back(task, tasks, count * t / threads, count * (t + 1) / threads);
        }
        task(tasks, 0, count / threads);
        for (std::thread &thread : started) {
            thread.join();
        }
    }

    std::vector<Line> workspace_;
};

int best(const float *logits) { return static_cast<int>(std::max_element(logits, logits + Classes) - logits); }

std::vector<std::uint8_t> read(const std::string &path) {
    std::ifstream stream(path, std::ios::binary);
    std::vector<std::uint8_t> file{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    if (file.size() < 10 || file[0] != 0x93) {
        throw std::runtime_error(path + " is no .npy file");
    }
    file.erase(file.begin(), file.begin() + 10 + file[8] + 256 * file[9]);
    return file;
}

} // namespace

int main(int argc, char **argv) {
    try {
        if (argc != 2) {
            throw std::runtime_error("pass one .npy file with images");
        }
        const std::vector<std::uint8_t> images = read(argv[1]);
        const auto count = static_cast<std::int64_t>(images.size() / Pixels);
        Digits digits;
        const std::vector<float> together = digits.run(images.data(), count, 4);
        for (std::int64_t i = 0; i < count; i++) {
            const std::vector<float> alone = digits.run(images.data() + i * Pixels, 1, 1);
            if (!std::equal(alone.begin(), alone.end(), together.begin() + i * Classes)) {
                throw std::runtime_error("a batch on several threads gives other numbers than one image on one thread");
            }
            std::cout << best(alone.data()) << '\n';
        }
        return 0;
    } catch (const std::exception &e) {
        std::cerr << "digits: " << e.what() << '\n';
        return 1;
    }
}
