namespace Graphene.Codegen;

/// <summary>The barriers of phases of a task in progress, and the bulk copies that they count.</summary>
/// <remarks>
/// A copy arrives when somebody waits for its phase and nothing else of it is missing: as late as it may. A phase that
/// only warps arrive at ends with the last of them.
/// </remarks>
internal sealed class SimtPhases(SimtBlock block)
{
    private readonly Dictionary<KPhaseBarriers, State[]> _states = new(ReferenceEqualityComparer.Instance);

    /// <summary>Forgets the barriers of the task before.</summary>
    public void BeginTask() => _states.Clear();

    /// <summary>All threads begin phase 0.</summary>
    public void Begin(KPhaseBarriers barriers)
    {
        if (_states.ContainsKey(barriers))
        {
            throw block.Bug($"phases of {barriers} begin a second time");
        }
        _states.Add(barriers, [.. Enumerable.Range(0, barriers.Count).Select(_ => new State(block.Clock.Epoch))]);
    }

    /// <summary>A warp arrives.</summary>
    public void Arrive(KPhaseBarriers barriers, long index, int warp, int bytes)
    {
        State state = Of(barriers, index);
        if (state.Arrived == barriers.Arrivals)
        {
            throw block.Bug(
                $"{barriers}[{index}]: warp {warp} arrives in a phase that {barriers.Arrivals} arrived in, "
                + "and waits for its bytes");
        }
        block.Clock.Release(warp, state.Clock);
        state.Arrived++;
        state.Bytes += bytes;
        if (state.Bytes > KPhaseBarriers.MostBytes)
        {
            throw block.Bug($"{barriers}[{index}]: a phase waits for {state.Bytes} bytes, more than {KPhaseBarriers.MostBytes}");
        }
        if (state.Arrived == barriers.Arrivals && state.Bytes == 0)
        {
            if (state.Copies.Count > 0)
            {
                throw block.Bug($"{barriers}[{index}]: a phase ends while copies that it does not wait for are on their way");
            }
            state.End();
        }
    }

    /// <summary>A copy is on its way.</summary>
    public void Add(KPhaseBarriers barriers, long index, BulkTransfer copy) => Of(barriers, index).Copies.Add(copy);

    /// <summary>Whether the last phase of a parity has ended; copies arrive that are all it waits for.</summary>
    public bool IsOver(KPhaseBarriers barriers, long index, long parity)
    {
        State state = Of(barriers, index);
        if (state.Phase % 2 != parity)
        {
            return true;
        }
        if (state.Arrived < barriers.Arrivals || state.Copies.Sum(c => (long)c.Bytes) != state.Bytes)
        {
            return false;
        }
        state.Copies.ForEach(copy => copy.Arrive(block));
        block.Clock.Release(RaceClock.Copier, state.Clock);
        state.End();
        return true;
    }

    /// <summary>A warp goes on behind a phase.</summary>
    public void Pass(KPhaseBarriers barriers, long index, int warp) => block.Clock.Acquire(warp, Of(barriers, index).Ended);

    /// <summary>What a phase that goes on lacks.</summary>
    public string Lack(KPhaseBarriers barriers, long index)
    {
        State state = Of(barriers, index);
        string copies = state.Bytes == 0 && state.Copies.Count == 0 ? ""
            : $", and of {state.Bytes} bytes {state.Copies.Sum(c => (long)c.Bytes)} are copied";
        return $"in phase {state.Phase} of {barriers}[{index}] {state.Arrived} of {barriers.Arrivals} warps arrived{copies}";
    }

    private State Of(KPhaseBarriers barriers, long index)
    {
        if (!_states.TryGetValue(barriers, out State[]? states))
        {
            throw block.Bug($"phases of {barriers} have not begun");
        }
        State state = index >= 0 && index < states.Length ? states[index]
            : throw block.Bug($"there is no barrier {index} among the {states.Length} of {barriers}");
        return state.BeginEpoch < block.Clock.Epoch
            ? state
            : throw block.Bug($"{barriers} are used before a barrier of the task behind their beginning");
    }

    private sealed class State(uint beginEpoch)
    {
        public uint BeginEpoch => beginEpoch;

        public long Phase { get; private set; }

        public int Arrived { get; set; }

        public long Bytes { get; set; }

        public List<BulkTransfer> Copies { get; } = [];

        public PhaseClock Clock { get; private set; } = new();

        public PhaseClock Ended { get; private set; } = new();

        public void End()
        {
            (Ended, Clock) = (Clock, new PhaseClock());
            Phase++;
            Arrived = 0;
            Bytes = 0;
            Copies.Clear();
        }
    }
}
