namespace Graphene.Codegen;

/// <summary>The copies that the threads of a task have begun and that have not arrived yet, in groups.</summary>
internal sealed class AsyncCopies(SimtBlock block)
{
    private readonly Queue<Copy>[] _pending = [.. Enumerable.Range(0, block.Threads).Select(_ => new Queue<Copy>())];
    private readonly long[] _groups = new long[block.Threads];
    private bool _isUsed;

    /// <summary>A thread, which may write there, begins a copy; an index below zero stands for zeros.</summary>
    public void Begin(int thread, SimtMemory to, long toIndex, SimtMemory from, long fromIndex, int count)
    {
        to.Depart(toIndex, count);
        _isUsed = true;
        _pending[thread].Enqueue(new Copy(_groups[thread], to, toIndex, from, fromIndex, count));
    }

    /// <summary>What a thread has begun becomes a group.</summary>
    public void Commit(int thread) => _groups[thread]++;

    /// <summary>All groups of a thread but the last few arrive.</summary>
    public void Wait(int thread, int pending)
    {
        Queue<Copy> copies = _pending[thread];
        while (copies.TryPeek(out Copy copy) && copy.Group < _groups[thread] - pending)
        {
            Arrive(thread, copies.Dequeue());
        }
    }

    /// <summary>The task ends, and nothing may be on its way: memory that it shared belongs to another task then.</summary>
    public void EndTask()
    {
        for (int thread = _isUsed ? 0 : _pending.Length; thread < _pending.Length; thread++)
        {
            if (_pending[thread].TryPeek(out Copy copy))
            {
                throw block.Bug(
                    $"the task ends while {_pending[thread].Count} copies of thread {thread} are on their way, "
                    + $"the first one to element {copy.ToIndex} of {copy.To.Buffer}; the last statement is");
            }
            _groups[thread] = 0;
        }
        _isUsed = false;
    }

    private void Arrive(int thread, Copy copy)
    {
        int bytes = copy.To.Buffer.Element.SizeInBytes();
        Span<byte> to = copy.To.Contents<byte>().Slice((int)(copy.ToIndex * bytes), copy.Count * bytes);
        if (copy.FromIndex < 0)
        {
            to.Clear();
        }
        else
        {
            copy.From.Contents<byte>().Slice((int)(copy.FromIndex * bytes), copy.Count * bytes).CopyTo(to);
        }
        copy.To.Arrive(block, copy.ToIndex, copy.Count, thread);
    }

    private readonly record struct Copy(long Group, SimtMemory To, long ToIndex, SimtMemory From, long FromIndex, int Count);
}
