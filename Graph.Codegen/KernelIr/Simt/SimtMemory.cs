using System.Runtime.InteropServices;

namespace Graphene.Codegen;

/// <summary>The contents of one buffer as the threads of a task see it: bounds, alignment and order are checked at every access.</summary>
internal sealed class SimtMemory
{
    // What scratch holds before it is written; as a float it is a large number.
    private const byte Undefined = 0xCD;

    private readonly Memory<byte> _bytes;
    private readonly AccessShadow? _shadow;
    private readonly long _shadowOffset;
    private readonly int _elementBytes;
    private readonly bool _isPrivate;

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
        _shadow = shadow;
        _shadowOffset = shadowOffset;
        _elementBytes = buffer.Element.SizeInBytes();
        _isPrivate = buffer.Space == KBufferSpace.Scratch;
        SharedOffset = sharedOffset;
    }

    /// <summary>What it is the contents of.</summary>
    public KBuffer Buffer { get; }

    /// <summary>How many elements a thread sees.</summary>
    public long Length { get; }

    /// <summary>Where it begins in the memory that threads share, in bytes; -1 for what they do not.</summary>
    public long SharedOffset { get; }

    /// <summary>Whether an access can be in the way of another.</summary>
    public bool IsWatched => _shadow is not null;

    /// <summary>The elements.</summary>
    public Span<T> Contents<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(_bytes.Span);

    /// <summary>Where the elements of a thread begin.</summary>
    public long Start(int thread) => _isPrivate ? thread * Length : 0;

    /// <summary>Makes what threads share undefined.</summary>
    public void BeginTask()
    {
        if (Buffer.Space == KBufferSpace.Shared)
        {
            _bytes.Span.Fill(Undefined);
        }
    }

    /// <summary>Makes the scratch of a thread undefined.</summary>
    public void Clear(int thread)
    {
        int bytes = (int)(Length * _elementBytes);
        _bytes.Span.Slice(thread * bytes, bytes).Fill(Undefined);
    }

    /// <summary>Makes what a copy will write undefined.</summary>
    public void Poison(long index, int count) =>
        _bytes.Span.Slice((int)(index * _elementBytes), count * _elementBytes).Fill(Undefined);

    /// <summary>Checks that a thread may read consecutive elements.</summary>
    public void Read(SimtBlock block, long index, int count, int thread)
    {
        if ((ulong)index >= (ulong)Length || index + count > Length)
        {
            throw Outside(block, "reads", index, count, thread);
        }
        if (_shadow is { } shadow)
        {
            int per = shadow.Per(_elementBytes);
            long first = shadow.At(_shadowOffset + (index * _elementBytes));
            if (shadow.Read(block.Clock, first, count * per, thread, block.Statement) is { } finding)
            {
                throw Race(block, "reads", index, count, thread, finding);
            }
        }
    }

    /// <summary>Checks that a thread may write consecutive elements.</summary>
    public void Write(SimtBlock block, long index, int count, int thread)
    {
        if ((ulong)index >= (ulong)Length || index + count > Length)
        {
            throw Outside(block, "writes", index, count, thread);
        }
        if (_shadow is { } shadow)
        {
            int per = shadow.Per(_elementBytes);
            long first = shadow.At(_shadowOffset + (index * _elementBytes));
            if (shadow.Write(block.Clock, first, count * per, thread, block.Statement) is { } finding)
            {
                throw Race(block, "writes", index, count, thread, finding);
            }
        }
        if (SharedOffset >= 0 && block.Products.Reader(SharedOffset + (index * _elementBytes), count * _elementBytes, thread) is { } reader)
        {
            throw block.Bug($"a race: thread {thread} writes {Elements(index, count)} of {Buffer}, which {reader} reads");
        }
    }

    /// <summary>Checks that no thread itself wrote elements in this task, which the asynchronous proxy would not see in order.</summary>
    public void RequireUntouched(SimtBlock block, long index, int count, string what)
    {
        bool isInside = index >= 0 && index + count <= Length; // others are refused by who reads or writes
        if (isInside && _shadow is { } shadow && shadow.IsWrittenByThreads(
            block.Clock, shadow.At(_shadowOffset + (index * _elementBytes)), count * shadow.Per(_elementBytes)))
        {
            throw block.Bug($"{what} {Elements(index, count)} of {Buffer}, which threads wrote to in this task; that is not ordered");
        }
    }

    /// <summary>Checks that a thread may read elements, which products do in its place and remember otherwise.</summary>
    public void RequireArrived(SimtBlock block, long index, int count, int thread)
    {
        if (_shadow?.Unordered(
            block.Clock, _shadow.At(_shadowOffset + (index * _elementBytes)), count * _shadow.Per(_elementBytes), thread) is { } finding)
        {
            throw Race(block, "multiplies", index, count, thread, finding);
        }
    }

    /// <summary>A bulk copy has arrived.</summary>
    public void ArriveInBulk(SimtBlock block, long index, int count) => _shadow?.ArriveInBulk(
        block.Clock, _shadow.At(_shadowOffset + (index * _elementBytes)), count * _shadow.Per(_elementBytes));

    /// <summary>A copy of elements that a thread may write is on its way.</summary>
    public void Depart(long index, int count)
    {
        Poison(index, count);
        if (_shadow is { } shadow)
        {
            shadow.Depart(shadow.At(_shadowOffset + (index * _elementBytes)), count * shadow.Per(_elementBytes));
        }
    }

    /// <summary>It has arrived.</summary>
    public void Arrive(SimtBlock block, long index, int count, int thread)
    {
        if (_shadow is { } shadow)
        {
            shadow.Arrive(block.Clock, shadow.At(_shadowOffset + (index * _elementBytes)), count * shadow.Per(_elementBytes), thread);
        }
    }

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
