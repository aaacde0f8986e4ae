// A function task: checks the moves of a chess game. input.txt has one move a line, as squares ("e2e4", "e7e8q"); its
// first line may be a position in Forsyth-Edwards notation instead, else the game starts as every game does. output.txt
// gets the verdict on each move, and after the last one the position and what the next player can do.
//
// A game with a move that is not legal ends there; the exit code stays 0, since that verdict is the answer.

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view start = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1";

/// A square: 0 is a1, 1 is b1, 63 is h8.
using Square = int;

constexpr int fileOf(Square square) { return square % 8; }
constexpr int rankOf(Square square) { return square / 8; }
constexpr bool onBoard(int file, int rank) { return file >= 0 && file < 8 && rank >= 0 && rank < 8; }
constexpr Square squareAt(int file, int rank) { return rank * 8 + file; }

std::string nameOf(Square square) { return {char('a' + fileOf(square)), char('1' + rankOf(square))}; }

std::optional<Square> squareNamed(std::string_view name) {
    int file = name[0] - 'a', rank = name[1] - '1';
    if (!onBoard(file, rank)) return {};
    return squareAt(file, rank);
}

struct Move {
    Square from, to;
    /// What a pawn becomes ('q', 'r', 'b', 'n'), or 0.
    char promotion = 0;

    bool operator==(const Move &) const = default;
};

struct Step {
    int file, rank;
};

constexpr std::array<Step, 8> around{{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {1, -1}, {-1, 1}, {-1, -1}}};
constexpr std::array<Step, 8> jumps{{{1, 2}, {2, 1}, {2, -1}, {1, -2}, {-1, -2}, {-2, -1}, {-2, 1}, {-1, 2}}};

/// Pieces are letters, White's in upper case as in Forsyth-Edwards notation; '.' is an empty square.
class Position {
public:
    /// Nothing if the text is no position.
    static std::optional<Position> parse(std::string_view text);

    std::string text() const;
    std::vector<Move> legalMoves() const;
    Position after(Move move) const;
    bool inCheck() const { return isAttacked(king(whiteToMove), !whiteToMove); }
    bool isWhiteToMove() const { return whiteToMove; }

private:
    std::array<char, 64> board;
    bool whiteToMove = true;
    /// Who may still castle, and where: some of "KQkq".
    std::string castling;
    /// The square that a pawn has just jumped over.
    std::optional<Square> passed;
    int quietMoves = 0, number = 1;

    bool isOwn(Square square) const { return board[square] != '.' && !isupper(board[square]) != whiteToMove; }
    Square king(bool white) const;
    bool isAttacked(Square square, bool byWhite) const;
    void addPawnMoves(Square from, std::vector<Move> &moves) const;
    void addCastling(Square from, std::vector<Move> &moves) const;
    std::vector<Move> moves() const;
};

std::optional<Position> Position::parse(std::string_view text) {
    std::array<std::string, 6> fields{"", "w", "-", "-", "0", "1"};
    size_t field = 0;
    for (char c : text) {
        if (c == ' ' && ++field == fields.size()) return {};
        if (c == ' ') fields[field].clear();
        else fields[field] += c;
    }
    Position position;
    position.board.fill('.');
    int file = 0, rank = 7;
    for (char c : fields[0]) {
        if (c == '/') {
            if (file != 8 || --rank < 0) return {};
            file = 0;
        } else if (c >= '1' && c <= '8') {
            file += c - '0';
        } else if (std::string_view("pnbrqkPNBRQK").contains(c) && onBoard(file, rank)) {
            position.board[squareAt(file++, rank)] = c;
        } else {
            return {};
        }
    }
    auto kings = [&](char piece) { return std::ranges::count(position.board, piece); };
    if (file != 8 || rank != 0 || kings('K') != 1 || kings('k') != 1) return {};
    if (fields[1] != "w" && fields[1] != "b") return {};
    position.whiteToMove = fields[1] == "w";
    if (fields[2] != "-") position.castling = fields[2];
    if (fields[3].size() == 2) position.passed = squareNamed(fields[3]);
    position.quietMoves = atoi(fields[4].c_str());
    position.number = atoi(fields[5].c_str());
    return position;
}

std::string Position::text() const {
    std::string text;
    for (int rank = 7; rank >= 0; rank--) {
        int empty = 0;
        for (int file = 0; file < 8; file++) {
            char piece = board[squareAt(file, rank)];
            if (piece == '.') {
                empty++;
                continue;
            }
            if (empty) text += char('0' + empty);
            empty = 0;
            text += piece;
        }
        if (empty) text += char('0' + empty);
        if (rank) text += '/';
    }
    text += whiteToMove ? " w " : " b ";
    text += castling.empty() ? "-" : castling;
    text += ' ' + (passed ? nameOf(*passed) : "-");
    return text + ' ' + std::to_string(quietMoves) + ' ' + std::to_string(number);
}

Square Position::king(bool white) const {
    return std::ranges::find(board, white ? 'K' : 'k') - board.begin();
}

bool Position::isAttacked(Square square, bool byWhite) const {
    auto has = [&](int file, int rank, std::string_view pieces) {
        if (!onBoard(file, rank)) return false;
        char piece = board[squareAt(file, rank)];
        return piece != '.' && bool(isupper(piece)) == byWhite && pieces.contains(tolower(piece));
    };
    int file = fileOf(square), rank = rankOf(square);
    int behind = byWhite ? rank - 1 : rank + 1;
    if (has(file - 1, behind, "p") || has(file + 1, behind, "p")) return true;
    for (Step step : jumps) {
        if (has(file + step.file, rank + step.rank, "n")) return true;
    }
    for (Step step : around) {
        if (has(file + step.file, rank + step.rank, "k")) return true;
        std::string_view sliders = step.file && step.rank ? "bq" : "rq";
        for (int far = 1; onBoard(file + far * step.file, rank + far * step.rank); far++) {
            int f = file + far * step.file, r = rank + far * step.rank;
            if (has(f, r, sliders)) return true;
            if (board[squareAt(f, r)] != '.') break;
        }
    }
    return false;
}

void Position::addPawnMoves(Square from, std::vector<Move> &moves) const {
    int file = fileOf(from), rank = rankOf(from);
    int forward = whiteToMove ? 1 : -1;
    auto add = [&](Square to) {
        if (rankOf(to) != 0 && rankOf(to) != 7) return moves.push_back({from, to});
        for (char promotion : {'q', 'r', 'b', 'n'}) moves.push_back({from, to, promotion});
    };
    if (!onBoard(file, rank + forward)) return;
    if (Square ahead = squareAt(file, rank + forward); board[ahead] == '.') {
        add(ahead);
        Square further = ahead + 8 * forward;
        if (rank == (whiteToMove ? 1 : 6) && board[further] == '.') add(further);
    }
    for (int side : {-1, 1}) {
        if (!onBoard(file + side, rank + forward)) continue;
        Square to = squareAt(file + side, rank + forward);
        bool enemy = board[to] != '.' && !isOwn(to);
        if (enemy || to == passed) add(to);
    }
}

/// The king moves two squares towards a rook: nothing between them, and no attack where it stands, passes or stops.
void Position::addCastling(Square from, std::vector<Move> &moves) const {
    if (from != (whiteToMove ? 4 : 60) || inCheck()) return;
    for (int side : {1, -1}) {
        char right = side > 0 ? 'k' : 'q';
        Square rook = side > 0 ? from + 3 : from - 4;
        if (whiteToMove) right = toupper(right);
        if (!castling.contains(right) || board[rook] != (whiteToMove ? 'R' : 'r')) continue;
        bool free = true;
        for (Square square = from + side; square != rook; square += side) free = free && board[square] == '.';
        if (free && !isAttacked(from + side, !whiteToMove)) moves.push_back({from, from + 2 * side});
    }
}

/// All moves by how the pieces move, whether or not they leave the king in check.
std::vector<Move> Position::moves() const {
    std::vector<Move> moves;
    for (Square from = 0; from < 64; from++) {
        if (!isOwn(from)) continue;
        char piece = tolower(board[from]);
        if (piece == 'p') {
            addPawnMoves(from, moves);
            continue;
        }
        for (Step step : piece == 'n' ? jumps : around) {
            bool diagonal = step.file && step.rank;
            if ((piece == 'r' && diagonal) || (piece == 'b' && !diagonal)) continue;
            int furthest = piece == 'n' || piece == 'k' ? 1 : 7;
            for (int far = 1; far <= furthest; far++) {
                int file = fileOf(from) + far * step.file, rank = rankOf(from) + far * step.rank;
                if (!onBoard(file, rank) || isOwn(squareAt(file, rank))) break;
                moves.push_back({from, squareAt(file, rank)});
                if (board[squareAt(file, rank)] != '.') break;
            }
        }
        if (piece == 'k') addCastling(from, moves);
    }
    return moves;
}

std::vector<Move> Position::legalMoves() const {
    std::vector<Move> legal = moves();
    std::erase_if(legal, [&](Move move) {
        Position next = after(move);
        return next.isAttacked(next.king(whiteToMove), !whiteToMove);
    });
    return legal;
}

Position Position::after(Move move) const {
    Position next = *this;
    char piece = board[move.from], kind = tolower(piece);
    bool captures = board[move.to] != '.';
    next.board[move.from] = '.';
    next.board[move.to] = !move.promotion ? piece : whiteToMove ? toupper(move.promotion) : move.promotion;
    if (kind == 'p' && move.to == passed) next.board[move.to + (whiteToMove ? -8 : 8)] = '.';
    if (int distance = move.to - move.from; kind == 'k' && abs(distance) == 2) {
        Square rook = distance > 0 ? move.from + 3 : move.from - 4;
        next.board[move.from + distance / 2] = board[rook];
        next.board[rook] = '.';
    }
    // Whoever moves a king or rook, or loses a rook, can no longer castle with it.
    auto forget = [&](Square square, std::string_view rights) {
        if (move.from != square && move.to != square) return;
        std::erase_if(next.castling, [&](char right) { return rights.contains(right); });
    };
    forget(0, "Q"), forget(4, "KQ"), forget(7, "K"), forget(56, "q"), forget(60, "kq"), forget(63, "k");
    bool jumped = kind == 'p' && abs(move.to - move.from) == 16;
    next.passed = jumped ? std::optional((move.from + move.to) / 2) : std::nullopt;
    next.quietMoves = kind == 'p' || captures ? 0 : quietMoves + 1;
    next.number = number + !whiteToMove;
    next.whiteToMove = !whiteToMove;
    return next;
}

std::optional<Move> parseMove(std::string_view text) {
    if (text.size() != 4 && text.size() != 5) return {};
    auto from = squareNamed(text.substr(0, 2)), to = squareNamed(text.substr(2, 2));
    if (!from || !to) return {};
    return Move{*from, *to, text.size() == 5 ? char(tolower(text[4])) : char(0)};
}

/// The file's lines without what is blank at their ends; nothing if it can't be read.
std::optional<std::vector<std::string>> readLines(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return {};
    std::vector<std::string> lines{""};
    for (int c; (c = fgetc(file)) != EOF;) {
        if (c == '\n') lines.emplace_back();
        else if (c != '\r') lines.back() += char(c);
    }
    fclose(file);
    for (std::string &line : lines) line.erase(line.find_last_not_of(" \t") + 1);
    return lines;
}

std::string verdicts(Position position, const std::vector<std::string> &lines, size_t first) {
    std::string out;
    for (size_t index = first; index < lines.size(); index++) {
        const std::string &line = lines[index];
        if (line.empty()) continue;
        auto move = parseMove(line);
        if (!move) return out + line + ": not a move\n";
        auto legal = position.legalMoves();
        if (!std::ranges::contains(legal, *move)) return out + line + ": not legal\n" + position.text() + '\n';
        position = position.after(*move);
        out += line + (position.inCheck() ? ": legal, check\n" : ": legal\n");
    }
    out += position.text() + '\n';
    std::string player = position.isWhiteToMove() ? "White" : "Black";
    size_t count = position.legalMoves().size();
    if (count > 0) return out + player + " has " + std::to_string(count) + " moves\n";
    return out + (position.inCheck() ? player + " is checkmated\n" : "Stalemate\n");
}

} // namespace

int main() {
    auto lines = readLines("input.txt");
    if (!lines) {
        perror("chess: cannot read input.txt");
        return 1;
    }
    bool given = lines->front().contains('/');
    auto position = Position::parse(given ? std::string_view(lines->front()) : start);
    if (!position) {
        fprintf(stderr, "chess: the first line of input.txt is no position: %s\n", lines->front().c_str());
        return 1;
    }
    std::string out = verdicts(*position, *lines, given ? 1 : 0);
    FILE *file = fopen("output.txt", "wb");
    if (!file || fwrite(out.data(), 1, out.size(), file) != out.size() || fclose(file) != 0) {
        perror("chess: cannot write output.txt");
        return 1;
    }
}
