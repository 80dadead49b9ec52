using Graphene.Codegen;

namespace Graphene.Tests.Codegen.KernelIr.Threads;

/// <summary>
/// Runs the threads of a task one at a time, each to the next place where it must meet others, in any order: what kernels with threads
/// mean, without masks and without steps for many threads at once.
/// </summary>
internal sealed class ThreadReference
{
    private readonly Kernel _kernel;
    private readonly int _count;
    private readonly Random _order;
    private readonly Dictionary<KBuffer, KernelMemory> _memories = new(ReferenceEqualityComparer.Instance);
    private readonly TaskFrame[] _frames;

    private ThreadReference(Kernel kernel, Memory<byte>[] arguments, Random order)
    {
        _kernel = kernel;
        _count = kernel.Threads!.Count;
        _order = order;
        foreach ((KBuffer argument, Memory<byte> bytes) in kernel.Arguments.Zip(arguments))
        {
            _memories.Add(argument, new KernelMemory(argument, bytes));
        }
        var layout = new SharedMemoryLayout(kernel);
        var shared = new byte[layout.SizeInBytes];
        Array.Fill(shared, (byte)0xCD);
        foreach (KBuffer buffer in layout.Buffers)
        {
            int bytes = (int)(buffer.Length * buffer.Element.SizeInBytes());
            _memories.Add(buffer, new KernelMemory(buffer, shared.AsMemory((int)layout[buffer], bytes)));
        }
        _frames = [.. Enumerable.Range(0, _count).Select(_ => new TaskFrame(_memories, _ => 0, hasFma: true))];
    }

    /// <summary>Runs some tasks.</summary>
    public static void Run(Kernel kernel, Memory<byte>[] arguments, int tasks, int seed)
    {
        var order = new Random(seed);
        for (int task = 0; task < tasks; task++)
        {
            new ThreadReference(kernel, arguments, order).RunTask(task);
        }
    }

    private void RunTask(long task)
    {
        IEnumerator<KStmt>[] threads = [.. Enumerable.Range(0, _count).Select(t =>
        {
            _frames[t].Bind(_kernel.Task, task);
            _frames[t].Bind(_kernel.Threads!.Thread, t);
            return Execute(_kernel.Body, _frames[t]).GetEnumerator();
        })];
        KStmt?[] at = new KStmt?[_count];
        int[] runnable = [.. Enumerable.Range(0, _count)];
        while (runnable.Length > 0)
        {
            _order.Shuffle(runnable);
            foreach (int t in runnable)
            {
                at[t] = threads[t].MoveNext() ? threads[t].Current : null;
            }
            runnable = Meet(at);
        }
        if (Array.Exists(at, s => s is not null))
        {
            throw new InvalidOperationException("threads wait for others that do not come");
        }
    }

    // Carries out what threads met at, and gives those that can go on.
    private int[] Meet(KStmt?[] at)
    {
        if (at.All(s => s is KBarrier))
        {
            return [.. Enumerable.Range(0, _count)];
        }
        var goOn = new List<int>();
        for (int warp = 0; warp < _count; warp += KThreads.WarpSize)
        {
            int first = warp;
            if (at[warp] is not (null or KBarrier) && at.Skip(warp).Take(KThreads.WarpSize).All(s => ReferenceEquals(s, at[first])))
            {
                if (at[warp] is KExchange exchange)
                {
                    Exchange(exchange, warp);
                }
                goOn.AddRange(Enumerable.Range(warp, KThreads.WarpSize));
            }
        }
        return [.. goOn];
    }

    private void Exchange(KExchange exchange, int warp)
    {
        ulong[][] values = [.. Enumerable.Range(warp, KThreads.WarpSize).Select(t => _frames[t].Evaluate(exchange.Value))];
        for (int lane = 0; lane < KThreads.WarpSize; lane++)
        {
            int operand = (int)_frames[warp + lane].Evaluate(exchange.Operand)[0];
            int from = exchange.Kind switch
            {
                KExchangeKind.Lane => operand,
                KExchangeKind.Xor => lane ^ operand,
                KExchangeKind.Up => lane - operand,
                _ => lane + operand,
            };
            _frames[warp + lane].Bind(exchange.Variable, values[from is < 0 or >= KThreads.WarpSize ? lane : from]);
        }
    }

    private static IEnumerable<KStmt> Execute(KBlock block, TaskFrame frame)
    {
        foreach (KStmt statement in block.Statements)
        {
            switch (statement)
            {
                case KFor loop:
                    (long begin, long end) = ((long)frame.Evaluate(loop.Begin)[0], (long)frame.Evaluate(loop.End)[0]);
                    for (long i = begin; i < end; i += loop.Step)
                    {
                        frame.Bind(loop.Variable, i);
                        foreach (KStmt inner in Execute(loop.Body, frame))
                        {
                            yield return inner;
                        }
                    }
                    break;
                case KWhile loop:
                    while (frame.Evaluate(loop.Condition)[0] != 0)
                    {
                        foreach (KStmt inner in Execute(loop.Body, frame))
                        {
                            yield return inner;
                        }
                    }
                    break;
                case KIf choice:
                    KBlock? chosen = frame.Evaluate(choice.Condition)[0] != 0 ? choice.Then : choice.Else;
                    foreach (KStmt inner in Execute(chosen ?? new KBlock([]), frame))
                    {
                        yield return inner;
                    }
                    break;
                case KBarrier or KWarpBarrier or KExchange:
                    yield return statement;
                    break;
                case KAsyncCopy copy:
                    Copy(copy, frame);
                    break;
                case KAsyncCommit or KAsyncWait or KScratch { Buffer.Space: KBufferSpace.Shared }:
                    break;
                default:
                    frame.Run(new KBlock([statement]));
                    break;
            }
        }
    }

    // A machine may copy at once.
    private static void Copy(KAsyncCopy copy, TaskFrame frame)
    {
        KExpr value = new KLoad(copy.From, copy.FromIndex, copy.Lanes, KBuilder.Broadcast(
            copy.Condition ?? new KConstant(Scalar.FromBits(DType.Bool, 1), 1), copy.Lanes));
        frame.Run(new KBlock([new KStore(copy.To, copy.ToIndex, value)]));
    }
}
