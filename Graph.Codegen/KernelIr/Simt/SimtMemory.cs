using System.Runtime.InteropServices;

namespace Graphene.Codegen;

/// <summary>The contents of one buffer as the threads of a task see it: bounds, alignment and order are checked at every access.</summary>
internal sealed class SimtMemory
{
    // What scratch holds before it is written; as a float it is a large number.
    private const byte Undefined = 0xCD;

    private readonly Memory<byte> _bytes;
    private readonly ArraySegment<byte> _array; // the same without the search for what is behind it, where that is an array
    private readonly AccessShadow? _ownShadow;
    private readonly long _firstEntry;
    private readonly int _entries;
    private readonly int _elementBytes;
    private readonly bool _isPrivate;
    private AccessShadow? _shadow;

    /// <param name="buffer">What it is the contents of.</param>
    /// <param name="bytes">The elements, little-endian; for scratch of threads those of one thread after the other.</param>
    /// <param name="length">How many elements a thread sees.</param>
    /// <param name="shadow">Who accessed what; null where nobody can be in the way of another.</param>
    /// <param name="shadowOffset">The place of the first element in what the shadow remembers, in bytes.</param>
    /// <param name="sharedOffset">Where it begins in the memory that threads share, in bytes; -1 for what they do not.</param>
    public SimtMemory(
        KBuffer buffer, Memory<byte> bytes, long length, AccessShadow? shadow, long shadowOffset, long sharedOffset = -1)
    {
        Buffer = buffer;
        Length = length;
        _bytes = bytes;
        _array = MemoryMarshal.TryGetArray((ReadOnlyMemory<byte>)bytes, out ArraySegment<byte> array) ? array : default;
        _ownShadow = shadow;
        _shadow = shadow;
        _elementBytes = buffer.Element.SizeInBytes();
        _firstEntry = shadow?.At(shadowOffset) ?? 0;
        _entries = shadow?.Per(_elementBytes) ?? 0;
        _isPrivate = buffer.Space == KBufferSpace.Scratch;
        SharedOffset = sharedOffset;
    }

    /// <summary>What it is the contents of.</summary>
    public KBuffer Buffer { get; }

    /// <summary>How many elements a thread sees.</summary>
    public long Length { get; }

    /// <summary>Where it begins in the memory that threads share, in bytes; -1 for what they do not.</summary>
    public long SharedOffset { get; }

    /// <summary>Whether accesses are looked at that can be in the way of another.</summary>
    public bool IsWatched => _shadow is not null;

    private Span<byte> Bytes => _array.Array is { } array ? array.AsSpan(_array.Offset, _array.Count) : _bytes.Span;

    /// <summary>The elements.</summary>
    public Span<T> Contents<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes);

    /// <summary>Where the elements of a thread begin.</summary>
    public long Start(int thread) => _isPrivate ? thread * Length : 0;

    /// <summary>Makes what threads share undefined.</summary>
    /// <param name="isWatched">Whether races are looked for in what threads of the task share; in the rest they always are.</param>
    public void BeginTask(bool isWatched)
    {
        if (Buffer.Space == KBufferSpace.Shared)
        {
            Bytes.Fill(Undefined);
            _shadow = isWatched ? _ownShadow : null;
        }
    }

    /// <summary>Makes the scratch of a thread undefined.</summary>
    public void Clear(int thread)
    {
        int bytes = (int)(Length * _elementBytes);
        Bytes.Slice(thread * bytes, bytes).Fill(Undefined);
    }

    /// <summary>Makes what a copy will write undefined.</summary>
    public void Poison(long index, int count) =>
        Bytes.Slice((int)(index * _elementBytes), count * _elementBytes).Fill(Undefined);

    /// <summary>Checks that a thread may read consecutive elements.</summary>
    /// <returns>Whether any other thread that reads the same before anything else happens may, and need not be remembered.</returns>
    public bool Read(SimtBlock block, long index, int count, int thread)
    {
        if ((ulong)index >= (ulong)Length || index + count > Length)
        {
            throw Outside(block, "reads", index, count, thread);
        }
        if (_shadow is not { } shadow || shadow.IsSettled(block.Clock, Entry(index), count * _entries))
        {
            return true;
        }
        return shadow.Read(block.Clock, Entry(index), count * _entries, thread, block.Statement) is { } finding
            ? throw Race(block, "reads", index, count, thread, finding)
            : false;
    }

    /// <summary>Checks that a thread may write consecutive elements.</summary>
    public void Write(SimtBlock block, long index, int count, int thread)
    {
        if ((ulong)index >= (ulong)Length || index + count > Length)
        {
            throw Outside(block, "writes", index, count, thread);
        }
        if (_shadow?.Write(block.Clock, Entry(index), count * _entries, thread, block.Statement) is { } finding)
        {
            throw Race(block, "writes", index, count, thread, finding);
        }
        if (SharedOffset >= 0 && block.Products.HaveRead &&
            block.Products.Reader(
                SharedOffset + (index * _elementBytes), count * _elementBytes, thread) is { } reader)
        {
            throw block.Bug($"a race: thread {thread} writes {Elements(index, count)} of {Buffer}, which {reader} reads");
        }
    }

    /// <summary>Checks that no thread itself wrote elements in this task, which the asynchronous proxy would not see in order.</summary>
    public void RequireUntouched(SimtBlock block, long index, int count, string what)
    {
        bool isInside = index >= 0 && index + count <= Length; // others are refused by who reads or writes
        if (isInside && _shadow is { } shadow && shadow.IsWrittenByThreads(
            block.Clock, Entry(index), count * _entries))
        {
            throw block.Bug($"{what} {Elements(index, count)} of {Buffer}, which threads wrote to in this task; that is not ordered");
        }
    }

    /// <summary>Checks that a thread may read elements, which products do in its place and remember otherwise.</summary>
    public void RequireArrived(SimtBlock block, long index, int count, int thread)
    {
        if (_shadow?.Unordered(
            block.Clock, Entry(index), count * _entries, thread) is { } finding)
        {
            throw Race(block, "multiplies", index, count, thread, finding);
        }
    }

    /// <summary>A bulk copy has arrived.</summary>
    public void ArriveInBulk(SimtBlock block, long index, int count) => _shadow?.ArriveInBulk(
        block.Clock, Entry(index), count * _entries);

    /// <summary>A copy of elements that a thread may write is on its way.</summary>
    public void Depart(long index, int count)
    {
        Poison(index, count);
        if (_shadow is { } shadow)
        {
            shadow.Depart(Entry(index), count * _entries);
        }
    }

    /// <summary>It has arrived.</summary>
    public void Arrive(SimtBlock block, long index, int count, int thread)
    {
        if (_shadow is { } shadow)
        {
            shadow.Arrive(block.Clock, Entry(index), count * _entries, thread);
        }
    }

    private long Entry(long index) => _firstEntry + (index * _entries);

    private CompilerBugException Outside(SimtBlock block, string does, long index, int count, int thread) => block.Bug(
        $"thread {thread} {does} {Elements(index, count)} of {Buffer}, which has {Length}");

    private CompilerBugException Race(
        SimtBlock block, string does, long index, int count, int thread, RaceFinding other)
    {
        if (ReferenceEquals(other, RaceFinding.Unwritten))
        {
            return block.Bug($"thread {thread} {does} {Elements(index, count)} of {Buffer}, of which some were not written in this task");
        }
        string did = other.IsOnItsWay ? "copies to them what it has not waited for" : other.IsWrite ? "writes them" : "reads them";
        string task = other.IsOnItsWay || block.Clock.TaskOf(other.Epoch) == block.Task ? "no barrier between"
            : $"in task {block.Clock.TaskOf(other.Epoch)}, and tasks are not ordered";
        return block.Bug(
            $"a race: thread {thread} {does} {Elements(index, count)} of {Buffer} and {other.Who} {did}, {task}; the other is: "
            + block.Describe(other.Statement) + "; this one");
    }

    private static string Elements(long index, int count) => count == 1 ? $"element {index}" : $"elements {index}..{index + count - 1}";
}
