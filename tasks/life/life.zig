//! A function task: Conway's Game of Life. input.txt has a number of generations in its first line and a field below it,
//! `#` for a living cell and `.` for a dead one. output.txt gets the field after that many generations. What leaves it
//! at one edge comes in at the other.

const std = @import("std");

const Field = struct {
    cells: []bool,
    width: usize,

    fn height(field: Field) usize {
        return field.cells.len / field.width;
    }

    /// How many of the eight cells around this one live.
    fn neighbours(field: Field, x: usize, y: usize) usize {
        var count: usize = 0;
        for (0..3) |down| {
            for (0..3) |right| {
                if (down == 1 and right == 1) continue;
                // One less than 0, 1, 2, counted from the other edge where it is beyond this one.
                const row = (y + down + field.height() - 1) % field.height();
                const column = (x + right + field.width - 1) % field.width;
                count += @intFromBool(field.cells[row * field.width + column]);
            }
        }
        return count;
    }

    /// Writes the next generation into `next`.
    fn step(field: Field, next: []bool) void {
        for (field.cells, next, 0..) |alive, *cell, index| {
            const count = field.neighbours(index % field.width, index / field.width);
            cell.* = count == 3 or (alive and count == 2);
        }
    }
};

const BadInput = error{ NoGenerations, TooManyGenerations, NoField, UnevenLines, StrangeCell };

/// What `main` says of each error; others are the system's own.
fn explain(reason: anyerror) []const u8 {
    return switch (reason) {
        error.NoGenerations => "the first line of input.txt is not a number of generations",
        error.TooManyGenerations => "more than 100000 generations",
        error.NoField => "input.txt has no field",
        error.UnevenLines => "the lines of the field are not of one length",
        error.StrangeCell => "a cell is `#` or `.`",
        error.FileNotFound => "there is no input.txt",
        else => @errorName(reason),
    };
}

fn parse(gpa: std.mem.Allocator, text: []const u8) (BadInput || std.mem.Allocator.Error)!struct { usize, Field } {
    var lines = std.mem.tokenizeAny(u8, text, "\r\n");
    const generations = std.fmt.parseInt(usize, lines.next() orelse "", 10) catch return error.NoGenerations;
    if (generations > 100_000) return error.TooManyGenerations;
    const width = (lines.peek() orelse return error.NoField).len;
    var cells: std.ArrayList(bool) = .empty;
    while (lines.next()) |line| {
        if (line.len != width) return error.UnevenLines;
        for (line) |cell| {
            if (cell != '#' and cell != '.') return error.StrangeCell;
            try cells.append(gpa, cell == '#');
        }
    }
    return .{ generations, .{ .cells = cells.items, .width = width } };
}

fn run(io: std.Io, gpa: std.mem.Allocator) !void {
    const folder = std.Io.Dir.cwd();
    const text = try folder.readFileAlloc(io, "input.txt", gpa, .limited(1 << 24));
    const generations, var field = try parse(gpa, text);

    var next = try gpa.alloc(bool, field.cells.len);
    for (0..generations) |_| {
        field.step(next);
        std.mem.swap([]bool, &field.cells, &next);
    }

    var out: std.ArrayList(u8) = .empty;
    for (field.cells, 1..) |alive, count| {
        try out.append(gpa, if (alive) '#' else '.');
        if (count % field.width == 0) try out.append(gpa, '\n');
    }
    try folder.writeFile(io, .{ .sub_path = "output.txt", .data = out.items });
}

pub fn main(init: std.process.Init) u8 {
    run(init.io, init.arena.allocator()) catch |reason| {
        std.debug.print("life: {s}\n", .{explain(reason)});
        return 1;
    };
    return 0;
}
