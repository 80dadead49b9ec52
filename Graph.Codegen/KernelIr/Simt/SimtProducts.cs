using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>The products of warpgroups that go on in a task: which sums they add to, and which memory they read.</summary>
/// <remarks>
/// Products of a warpgroup end in their order. Of each piece of 16 bytes of shared memory, the last product of each
/// warpgroup that reads it is remembered; the piece may be written by who knows that this product has ended, and that
/// its warps went on.
/// </remarks>
internal sealed class SimtProducts(SimtBlock block)
{
    private const int Piece = GpuTensorMap.Granule;

    private readonly Dictionary<(int Group, int Array), SumState> _sums = [];
    private readonly Group[] _groups =
        [.. Enumerable.Range(0, block.Threads / KWarpgroupShape.Threads).Select(_ => new Group())];
    private int[][]? _readers;

    /// <summary>Whether any product has read anything.</summary>
    public bool HaveRead => _readers is not null;

    /// <summary>Forgets the task before.</summary>
    public void BeginTask()
    {
        _sums.Clear();
        if (_readers is not null)
        {
            Array.ForEach(_readers, r => Array.Clear(r));
            Array.ForEach(_groups, g => g.Begin());
        }
    }

    /// <summary>Threads access a register that holds sums.</summary>
    public void Touch(SimtSlot sum, string does)
    {
        foreach (int group in Groups())
        {
            SumState state = Sum(group, sum);
            if (state.IsTaken)
            {
                throw block.Bug($"warpgroup {group} {does} sums that a product adds to, and no wait has handed them back");
            }
            state.NeedsFence = true;
        }
    }

    /// <summary>What was done to registers before can be seen by products.</summary>
    public void Fence()
    {
        foreach (int group in Groups())
        {
            foreach (((int Group, int Array) key, SumState state) in _sums)
            {
                state.NeedsFence &= key.Group != group;
            }
        }
    }

    /// <summary>A warpgroup begins a product.</summary>
    /// <returns>Its number among the warpgroup's.</returns>
    public int Begin(int group, SimtSlot sum)
    {
        SumState state = Sum(group, sum);
        if (state.NeedsFence)
        {
            throw block.Bug($"warpgroup {group} multiplies without a fence behind its own access to the sums");
        }
        state.IsTaken = true;
        state.Last = ++_groups[group].Begun;
        return state.Last;
    }

    /// <summary>A product reads a piece of shared memory.</summary>
    public void Read(int group, int product, long address)
    {
        _readers ??= [.. _groups.Select(_ => new int[(block.SharedBytes.Length + Piece - 1) / Piece])];
        _readers[group][address / Piece] = product;
    }

    /// <summary>The products that a warpgroup began become a group.</summary>
    public void Commit()
    {
        foreach (int group in Groups())
        {
            _groups[group].Committed.Add(_groups[group].Begun);
        }
    }

    /// <summary>All groups of products but the last few end.</summary>
    public void Wait(int pending, SimtSlot[] sums)
    {
        foreach (int group in Groups())
        {
            Group of = _groups[group];
            int ended = of.Committed.Count > pending ? of.Committed[^(pending + 1)] : 0;
            if (ended > of.Ended)
            {
                of.End(ended, block.Clock, group);
            }
            foreach (SimtSlot sum in sums)
            {
                SumState state = Sum(group, sum);
                if (state.Last > of.Ended)
                {
                    throw block.Bug(
                        $"warpgroup {group} takes sums back that a product still adds to: {pending} groups may go on, "
                        + "or none was committed");
                }
                state.IsTaken = false;
            }
        }
    }

    /// <summary>Who still reads memory that a thread comes to write; null for nobody.</summary>
    public string? Reader(long address, long bytes, int thread)
    {
        for (int group = 0; _readers is not null && group < _groups.Length; group++)
        {
            int last = 0;
            (int first, int end) = ((int)(address / Piece), (int)((address + bytes - 1) / Piece) + 1);
            foreach (int product in _readers[group].AsSpan(first, end - first))
            {
                last = Math.Max(last, product);
            }
            if (last > 0 && !_groups[group].IsKnownToHaveEnded(last, block.Clock, group, thread / KThreads.WarpSize))
            {
                return $"a product of warpgroup {group}";
            }
        }
        return null;
    }

    /// <summary>The warpgroups of the active threads, all of which must be there.</summary>
    public IEnumerable<int> Groups()
    {
        for (int group = 0; group < _groups.Length; group++)
        {
            if (block.IsGroupActive(group))
            {
                yield return group;
            }
        }
    }

    private SumState Sum(int group, SimtSlot sum)
    {
        if (!_sums.TryGetValue((group, sum.Array), out SumState? state))
        {
            _sums.Add((group, sum.Array), state = new SumState());
        }
        return state;
    }

    private sealed class SumState
    {
        public bool NeedsFence { get; set; } = true;

        public bool IsTaken { get; set; }

        public int Last { get; set; }
    }

    private sealed class Group
    {
        private readonly List<(int Product, uint Epoch, uint[] Passed)> _ends = [];

        public int Begun { get; set; }

        public int Ended { get; private set; }

        // The last product of each group of products.
        public List<int> Committed { get; } = [];

        public void Begin()
        {
            (Begun, Ended) = (0, 0);
            Committed.Clear();
            _ends.Clear();
        }

        public void End(int product, RaceClock clock, int group)
        {
            Ended = product;
            IEnumerable<int> warps = Enumerable.Range(group * KWarpgroupShape.Warps, KWarpgroupShape.Warps);
            _ends.Add((product, clock.Epoch, [.. warps.Select(clock.WarpEpoch)]));
        }

        public bool IsKnownToHaveEnded(int product, RaceClock clock, int group, int warp)
        {
            int end = _ends.Count;
            while (end > 0 && _ends[end - 1].Product >= product)
            {
                end--;
            }
            return end < _ends.Count && (_ends[end].Epoch != clock.Epoch || Enumerable.Range(0, KWarpgroupShape.Warps).All(w =>
                (group * KWarpgroupShape.Warps) + w == warp ||
                clock.Knows(warp, (group * KWarpgroupShape.Warps) + w, _ends[end].Passed[w])));
        }
    }
}
