using Graphene.Runtime.Interop;

namespace Graphene.Runtime;

/// <summary>The hash of a range of memory while threads compute it, and the one who wants it does something else.</summary>
/// <remarks>The memory must stay until <see cref="End"/> has returned.</remarks>
internal sealed unsafe class PendingHash
{
    private const long BytesWorthForgetting = 16 << 20;

    private readonly FileHashKind _kind;
    private readonly byte* _pointer;
    private readonly long _length;
    private readonly bool _isMapped;
    private readonly byte[] _pieces;
    private readonly Thread[] _helpers;
    private int _next = -1;
    private int _done;

    private PendingHash(FileHashKind kind, byte* pointer, long length, bool isMapped, int helpers, bool loadsAhead)
    {
        _kind = kind;
        _pointer = pointer;
        _length = length;
        _isMapped = isMapped;
        _pieces = new byte[SectionHash.SizeOfPieces(kind, length)];
        // Threads of our own start sooner than the process's pool, and a start is what waits for this.
        _helpers = new Thread[helpers];
        for (int i = 0; i < helpers; i++)
        {
            ThreadStart work = loadsAhead && i == 0 ? HashAndLoadAhead : HashPieces;
            _helpers[i] = new Thread(work) { IsBackground = true, Name = "graphene hash" };
            _helpers[i].UnsafeStart();
        }
    }

    /// <summary>Begins with as many threads as the bytes are worth, the one that ends it included.</summary>
    /// <param name="kind">Which hash.</param>
    /// <param name="pointer">The first byte; on a page, if it is mapped.</param>
    /// <param name="length">How many there are.</param>
    /// <param name="isMapped">Whether it is part of a mapped file, of which no pages that nobody else used shall be left behind.</param>
    public static PendingHash Begin(FileHashKind kind, byte* pointer, long length, bool isMapped)
    {
        int piecesPerThread = kind == FileHashKind.Fast ? 4 : 2;
        int threads = Math.Min(Math.Max(SectionHash.PieceCount(length) / piecesPerThread, 1), Environment.ProcessorCount);
        return new PendingHash(kind, pointer, length, isMapped, threads - 1, loadsAhead: false);
    }

    /// <summary>Begins with a thread more, so that a large part is done when <see cref="End"/> is called.</summary>
    /// <inheritdoc cref="Begin"/>
    /// <param name="kind">Which hash.</param>
    /// <param name="pointer">The first byte; on a page, if it is mapped.</param>
    /// <param name="length">How many there are.</param>
    /// <param name="isMapped">Whether it is part of a mapped file.</param>
    /// <param name="loadsAhead">Whether that thread does <see cref="LoadingAhead"/> then.</param>
    public static PendingHash BeginAhead(FileHashKind kind, byte* pointer, long length, bool isMapped, bool loadsAhead)
    {
        int helpers = length < SectionHash.PieceBytes ? 0 : Math.Max(1, SectionHash.PieceCount(length) / 2);
        return new PendingHash(kind, pointer, length, isMapped, Math.Min(helpers, Environment.ProcessorCount - 1), loadsAhead);
    }

    /// <summary>Whether other threads work on it.</summary>
    public bool HasHelpers => _helpers.Length > 0;

    /// <summary>Takes part in what is left, and waits for the others.</summary>
    public byte[] End()
    {
        HashPieces();
        while (Volatile.Read(ref _done) < SectionHash.PieceCount(_length))
        {
            Thread.Yield(); // a piece takes less than a millisecond
        }
        return SectionHash.Join(_kind, _pieces, _length);
    }

    private void HashAndLoadAhead()
    {
        HashPieces();
        LoadingAhead.Do();
    }

    private void HashPieces()
    {
        int count = SectionHash.PieceCount(_length);
        int piece;
        while ((piece = Interlocked.Increment(ref _next)) < count)
        {
            byte* start = _pointer + ((long)piece * SectionHash.PieceBytes);
            int size = SectionHash.LengthOfPiece(piece, _length);
            SectionHash.HashPiece(_kind, start, size, piece, _length, _pieces);
            if (_isMapped && _length >= BytesWorthForgetting && OperatingSystem.IsLinux())
            {
                // The system keeps the file's pages; a constant that no run reads need not count as this process's memory. Of few, a first
                // run would only find again what is there.
                _ = Libc.Madvise(start, (nuint)size, Libc.MadviseDontNeed);
            }
            Interlocked.Increment(ref _done);
        }
    }
}
