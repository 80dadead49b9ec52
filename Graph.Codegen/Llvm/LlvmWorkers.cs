namespace Graphene.Codegen.Llvm;

/// <summary>Runs numbered jobs on a few threads with large stacks.</summary>
internal static class LlvmWorkers
{
    /// <summary>Runs jobs 0 to <paramref name="count"/> - 1 and returns their results in order.</summary>
    /// <remarks>After a failure no further job is begun; the failure of the lowest-numbered job is thrown.</remarks>
    public static T[] Run<T>(
        int count, int threads, int stackSizeInBytes, Func<int, T> job, CancellationToken cancellationToken)
    {
        var results = new T[count];
        var failures = new Exception?[count];
        int next = 0;
        bool failed = false;
        var workers = new Thread[Math.Min(count, threads)];
        for (int w = 0; w < workers.Length; w++)
        {
            workers[w] = new Thread(Work, stackSizeInBytes) { IsBackground = true, Name = "graphene llvm" };
            workers[w].Start();
        }

        foreach (Thread worker in workers)
        {
            worker.Join();
        }

        if (Array.Find(failures, f => f is not null) is { } failure)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }

        cancellationToken.ThrowIfCancellationRequested();
        return results;

        void Work()
        {
            while (!Volatile.Read(ref failed) && !cancellationToken.IsCancellationRequested)
            {
                int i = Interlocked.Increment(ref next) - 1;
                if (i >= count)
                {
                    return;
                }

                try
                {
                    results[i] = job(i);
                }
                catch (Exception e)
                {
                    failures[i] = e;
                    Volatile.Write(ref failed, true);
                }
            }
        }
    }
}
